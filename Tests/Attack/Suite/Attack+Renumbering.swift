// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Other ids of threads, CPUs and vCPUs. What live tracing knows names some of them in ways of its own and stays as it is.
extension Attack {
    static let renumberings: [Attack] = [
        Attack(
            name: "tids", variants: { $0.hasFacts ? 0 : unlimited },
            change: { recording, number, random, corpus in
                let tids = recording.tids.filter { $0 > 0 }
                let others: [Int32]
                switch number % 3 {
                case 0: others = tids.map { $0 + 100_000 }
                case 1:
                    // Ascending as before, and as near to each other.
                    let step = Int32.random(in: -200...4_000_000, using: &random)
                    guard let lowest = tids.first, lowest + step > 0 else { return false }
                    others = tids.map { $0 + step }
                default:
                    // Thread ids wrap at pid_max, and begin anew above RESERVED_PIDS, so that later threads may have lower
                    // ones. Of several VMs nothing else may tell which is whose.
                    guard corpus.whole(of: recording)?.report.vms.count == 1, let lowest = tids.first,
                        let highest = tids.last, highest - lowest < 1000
                    else { return false }
                    let start = 32768 - Int32.random(in: 1...(highest - lowest + 1), using: &random)
                    others = tids.map { tid in
                        let other = tid - lowest + start
                        return other < 32768 ? other : other - 32768 + 300
                    }
                }
                recording.renumber(tids: Dictionary(uniqueKeysWithValues: zip(tids, others)))
                return true
            }),
        Attack(
            name: "cpus", variants: { $0.hasFacts ? 0 : unlimited },
            change: { recording, number, random, _ in
                let cpus = recording.cpus
                let spread = (0..<Int32(clamping: 3 * cpus.count)).shuffled(using: &random)
                let others = number % 2 == 0 ? cpus.shuffled(using: &random) : Array(spread.prefix(cpus.count))
                recording.renumber(cpus: Dictionary(uniqueKeysWithValues: zip(cpus, others)))
                return true
            }),
        Attack(
            name: "vcpus", variants: { $0.hasFacts ? 0 : unlimited },
            change: { recording, number, random, _ in
                let ids = recording.vcpuIDs
                guard !ids.isEmpty else { return false }
                let step = Int32.random(in: 1...100, using: &random)
                let others = number % 2 == 0 ? ids.map { $0 + step } : ids.shuffled(using: &random)
                recording.renumber(vcpus: Dictionary(uniqueKeysWithValues: zip(ids, others)))
                return true
            }),
    ]
}

extension HeldRecording {
    mutating func renumber(tids: [Int32: Int32]) {
        for index in items.indices where !items[index].isGap {
            items[index].stamp.tid = tids[items[index].stamp.tid] ?? items[index].stamp.tid
        }
        info.commands = Dictionary(info.commands.map { (tids[$0.key] ?? $0.key, $0.value) }) { first, _ in first }
        for guest in info.guests.indices {
            info.guests[guest].threads = info.guests[guest].threads.map { ($0.vcpu, tids[$0.tid] ?? $0.tid) }
        }
        changes.insert(.renumbered)
        descriptions.append("threads renumbered")
    }

    mutating func renumber(cpus: [Int32: Int32]) {
        for index in items.indices {
            let cpu = items[index].stamp.cpu
            items[index].stamp.cpu = cpus[cpu] ?? cpu
            if case .lost(var gap) = items[index].content {
                gap.cpu = cpus[gap.cpu] ?? gap.cpu
                items[index].content = .lost(gap)
            }
        }
        info.cpus = max(info.cpus, Int(cpus.values.max() ?? 0) + 1)
        changes.insert(.renumbered)
        descriptions.append("CPUs renumbered")
    }

    fileprivate mutating func renumber(vcpus: [Int32: Int32]) {
        for index in items.indices {
            guard let event = items[index].event else { continue }
            items[index].content = .event(event.renumbered { vcpus[$0] ?? $0 })
        }
        for guest in info.guests.indices {
            info.guests[guest].threads = info.guests[guest].threads.map { (vcpus[$0.vcpu] ?? $0.vcpu, $0.tid) }
        }
        changes.insert(.renumbered)
        descriptions.append("vCPUs renumbered: \(vcpus.sorted { $0.key < $1.key }.map { "\($0.key) is \($0.value)" })")
    }

    /// As the vCPUs' own events have them.
    fileprivate var vcpuIDs: [Int32] {
        Set(
            items.compactMap { item in
                switch item.event {
                case .entry(let entry): entry.vcpu
                case .exit(let exit): exit.vcpu
                default: nil
                }
            }
        ).sorted()
    }
}

extension KVMEvent {
    fileprivate func renumbered(_ id: (Int32) -> Int32) -> KVMEvent {
        func unsigned(_ value: UInt32) -> UInt32 { Int32(exactly: value).map { UInt32(bitPattern: id($0)) } ?? value }
        func exit(_ exit: Exit) -> Exit {
            var exit = exit
            exit.vcpu = exit.vcpu.map(id)
            return exit
        }
        func accept(_ accept: APICAcceptIRQ) -> APICAcceptIRQ {
            var accept = accept
            accept.vcpu = unsigned(accept.vcpu)
            return accept
        }
        func end(_ end: EOI) -> EOI { EOI(vcpu: unsigned(end.vcpu), vector: end.vector) }
        switch self {
        case .entry(var entry):
            entry.vcpu = entry.vcpu.map(id)
            return .entry(entry)
        case .exit(let old): return .exit(exit(old))
        case .nestedVMExit(let old): return .nestedVMExit(exit(old))
        case .smmTransition(var transition):
            transition.vcpu = id(transition.vcpu)
            return .smmTransition(transition)
        case .pageFault(var fault):
            fault.vcpu = fault.vcpu.map(id)
            return .pageFault(fault)
        case .apicAcceptIRQ(let old): return .apicAcceptIRQ(accept(old))
        case .apicvAcceptIRQ(let old): return .apicvAcceptIRQ(accept(old))
        case .eoi(let old): return .eoi(end(old))
        case .pvEOI(let old): return .pvEOI(end(old))
        case .apicIPI(var ipi):
            // Physical destination, no shorthand: an APIC id, which is the vCPU's in all of these guests.
            if ipi.icrLow & 0xc0800 == 0 { ipi.destination = unsigned(ipi.destination) }
            return .apicIPI(ipi)
        case .avicIncompleteIPI(var ipi):
            ipi.vcpu = unsigned(ipi.vcpu)
            return .avicIncompleteIPI(ipi)
        case .avicUnacceleratedAccess(var access):
            access.vcpu = unsigned(access.vcpu)
            return .avicUnacceleratedAccess(access)
        case .avicDoorbell(let doorbell): return .avicDoorbell(.init(vcpu: unsigned(doorbell.vcpu)))
        case .avicGALog(var log):
            log.vcpu = unsigned(log.vcpu)
            return .avicGALog(log)
        case .piIRTEUpdate(var update):
            update.vcpu = update.vcpu < 0 ? update.vcpu : id(update.vcpu)
            return .piIRTEUpdate(update)
        default: return self
        }
    }
}
