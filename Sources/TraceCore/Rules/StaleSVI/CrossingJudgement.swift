// SPDX-License-Identifier: Apache-2.0

/// What one vCPU's crossings and the waits after them amount to, once the trace is over.
struct CrossingJudgement {
    private let watch: CrossingWatch
    /// Waits with a sign, of interrupts that a stale SVI would hold back.
    private let losses: [Wait]
    private let late: [WaitWatch.Late]
    private let vcpu: VCPUIndex
    private let vm: VMIndex
    private let end: UInt64
    private let showsTPR: Bool
    private let showsDeliveries: Bool
    private let mayBeOthers: VectorSet

    init(_ watch: CrossingWatch, _ waits: WaitWatch, of vcpu: VCPUIndex, in machine: borrowing Machine) {
        self.watch = watch
        self.vcpu = vcpu
        vm = machine.vcpus[vcpu].vm
        end = machine.now
        showsTPR = machine.vcpus[vcpu].showsTPR
        showsDeliveries = machine.showsDeliveries
        mayBeOthers = machine.vcpus[vcpu].ledger.mayBeOthers
        losses = waits.found.filter {
            $0.isAfterCrossing && ($0.undelivered != nil || $0.fruitless != nil)
                && !machine.isNotification($0.vector, of: vcpu)
        }
        late = waits.late
    }

    private var isStuck: Bool { !watch.stuck.isEmpty }

    /// What the fix, if it is there, excuses: a stale SVI. A vector that isn't delivered is for `lost-accept` to tell then.
    ///
    /// - Parameter isProven: SVI was read from memory, and was stale.
    func finding(fix: FixState, isProven: Bool) -> RuleFinding? {
        guard !fix.isPresent || isStuck || isProven else { return nil }
        var finding = RuleFinding(
            rule: .staleSVI, grade: grade, vm: vm, vcpu: vcpu, first: first, last: hasSign ? end : lastCrossing,
            count: hasSign ? accepts : watch.crossingCount, statement: statement)
        finding.inferred = watch.crossings.contains(where: \.inferred)
        finding.stuck = watch.stuck.map(\.vector).sorted()
        finding.vectors = lostVectors
        finding.crossings = watch.crossings
        finding.symptoms = (isStuck ? [.stuckISR] : []) + (lostVectors.isEmpty ? [] : [.lostAccept])
        finding.evidence = evidence
        finding.limits = limits(fix)
        return finding
    }

    private var grade: Grade {
        if losses.contains(where: isBehindStuck) || !watch.blockedForLong.isEmpty { return .confirmed }
        if showsDeliveries, losses.contains(where: { $0.fruitless != nil && $0.isStanding && $0.outlivesHealthyWaits })
        {
            return .confirmed
        }
        if isStuck || losses.contains(where: isBeyondExcuse) { return .suspect }
        return .hazard
    }

    /// What is stuck holds it back, and it was not injected since.
    private func isBehindStuck(_ wait: Wait) -> Bool {
        guard let undelivered = wait.undelivered else { return false }
        return watch.stuck.contains {
            $0.vector.priorityClass >= wait.vector.priorityClass && $0.since.time <= undelivered.at.time
        }
    }

    private func isBeyondExcuse(_ wait: Wait) -> Bool {
        wait.isBeyondExcuse(showsTPR: showsTPR, showsDeliveries: showsDeliveries) && !mayBeOthers.contains(wait.vector)
    }

    private var hasSign: Bool { isStuck || !lostVectors.isEmpty }

    private var lostVectors: [UInt8] {
        Set(losses.map(\.vector) + watch.sleeps.map(\.vector) + watch.blockedForLong).sorted()
    }

    private var accepts: UInt64 { max(losses.reduce(0) { $0 &+ $1.accepts }, 1) }

    private var first: UInt64 {
        let signs = losses.map(\.accepted.time) + watch.stuck.map(\.since.time) + watch.sleeps.map(\.accepted.time)
        return signs.min() ?? watch.crossings.map { ($0.acknowledged ?? $0.ended).time }.min() ?? 0
    }

    private var lastCrossing: UInt64 { watch.crossings.map(\.ended.time).max() ?? first }

    // MARK: Words

    private var evidence: EvidenceLog {
        var log = watch.log
        for wait in losses { log.add(wait) }
        for blocked in watch.blocked where watch.blockedForLong.contains(blocked.vector) {
            log.add(
                "kvm_exit", at: blocked.from, isKey: true,
                "the APIC's words: \(blocked.vector.hex) waits behind a stuck one")
            log.add("kvm_exit", at: blocked.to, isKey: true, "and still does here")
        }
        for sleep in watch.sleeps {
            log.add("kvm_exit", at: sleep.halted, isKey: true, "HLT, which goes on though \(sleep.vector.hex) waits")
            log.add("kvm_apic_accept_irq", at: sleep.accepted, isKey: true, "\(sleep.vector.hex) accepted")
        }
        return log
    }

    private var statement: String {
        var sentences = [watch.crossingStatement]
        if isStuck {
            let stuck = watch.stuck.map(\.vector).sorted()
            sentences.append(
                "\(stuck.listed) stayed in service after \(stuck.count == 1 ? "its EOI" : "their EOIs"): everything of "
                    + "\(stuck.count == 1 ? "its" : "their") priority and below is blocked.")
        }
        if !lostVectors.isEmpty {
            let list = lostVectors.listed
            sentences.append(
                lostVectors.count == 1
                    ? "Afterwards \(list) was accepted \(accepts.times) and not delivered."
                    : "Afterwards \(list) were accepted, \(accepts.times) in all, and not delivered.")
        }
        if !late.isEmpty {
            let list = late.prefix(4).map { entry in
                let waited = entry.delivered.time.elapsed(since: entry.accepted.time) / 1000
                return "\(entry.vector.hex) after \(waited / 1000).\(waited % 1000 / 100) ms"
            }
            sentences.append("Delivered late: \(list.joined(separator: ", ")).")
        }
        if !hasSign {
            sentences.append("On a kernel without the fix this leaves SVI stale, and lower vectors blocked in L1.")
        }
        return sentences.joined(separator: " ")
    }

    private func limits(_ fix: FixState) -> [Limit] {
        guard grade == .hazard else { return [] }
        if hasSign {
            return [Limit(Wait.excuse(showsTPR: showsTPR))]
        }
        return [
            Limit(
                "Nothing shows that an interrupt was lost: delivery in L1 is silent (virtual-interrupt delivery)"
                    + (fix.state == .unknown ? ", and whether this kernel has the fix is not known." : "."))
        ]
    }
}

extension CrossingWatch {
    /// The first crossings, in words.
    var crossingStatement: String {
        crossings.prefix(2).map { crossing in
            "Vector \(crossing.vector.hex) was acknowledged in \(crossing.acknowledgedAt.name) and ended in "
                + "\(crossing.endedAt.name)" + (crossing.inferred ? " (inferred)." : ".")
        }.joined(separator: " ")
    }
}

extension Wait {
    /// What a wait alone leaves open.
    static func excuse(showsTPR: Bool) -> String {
        "A wait alone is no loss: L2 may have had interrupts off"
            + (showsTPR ? "." : ", or its task priority raised, which the trace does not show.")
    }

    /// Neither interrupts off nor the task priority explain it any more.
    func isBeyondExcuse(showsTPR: Bool, showsDeliveries: Bool) -> Bool {
        guard accepts > 1, showsDeliveries else { return false }
        return outlivesHealthyWaits || long != nil && chance != nil && showsTPR
    }
}

extension EvidenceLog {
    /// Where a wait began, what showed that interrupts were on, and where each sign was complete.
    mutating func add(_ wait: Wait) {
        add(
            "kvm_apic_accept_irq", at: wait.accepted, isKey: true,
            "\(wait.vector.hex) accepted, and nothing delivers it from here on")
        if let chance = wait.chance {
            add(
                chance.event.tracepoints[0], at: chance.at, isKey: true,
                "L2 can take interrupts here, and \(wait.vector.hex) does not come")
        }
        if let sign = wait.long ?? wait.undelivered {
            add(
                sign.event.tracepoints[0], at: sign.at, isKey: true,
                "L2 entered again and again since, \(wait.vector.hex) never injected")
        }
        if let sign = wait.fruitless {
            add(
                sign.event.tracepoints[0], at: sign.at, isKey: true,
                "\(wait.vector.hex) offered 20 times and more, L1 never got it to pass on")
        }
    }
}

extension Machine {
    /// The vector is what tells a CPU that interrupts were posted to its L2: KVM takes it and leaves no bit in IRR
    /// (vmx_deliver_nested_posted_interrupt, arch/x86/kvm/vmx/vmx.c). It is never acknowledged, and L1 gives L2 APICv.
    func isNotification(_ vector: UInt8, of vcpu: VCPUIndex) -> Bool {
        let vm = vms[vcpus[vcpu].vm]
        // An L1 whose interrupts KVM injects into L2 intercepts none, and has nobody to tell.
        guard vm.apicOfL2.kind != .l1s, vm.vcpus.contains(where: { vcpus[$0].givesL2APICv }) else { return false }
        guard vm.vcpus.allSatisfy({ vcpus[$0].ledger[vector].isNeverTaken }) else { return false }
        // vmcs12 names one such vector, and a hypervisor the same one on each vCPU.
        return vm.vcpus.allSatisfy { index in
            let ledger = vcpus[index].ledger
            return ledger.pending.vectors.allSatisfy {
                $0 == vector || ledger[$0].accepted.l2 == 0 || !ledger[$0].isNeverTaken
            }
        }
    }
}
