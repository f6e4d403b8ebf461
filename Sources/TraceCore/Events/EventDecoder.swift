// SPDX-License-Identifier: Apache-2.0

/// Turns records into events, by the bindings of one trace's formats.
///
/// It knows nothing of pages and files, so that every source of raw records shares it.
public struct EventDecoder: Sendable {
    public let order: ByteOrder
    let bindings: [EventBinding]

    public init(order: ByteOrder, bindings: [EventBinding]) {
        self.order = order
        self.bindings = bindings
    }

    /// The event of a record, nil where the record is shorter than its format says.
    /// - Parameter binding: index into the bindings that the decoder was made with.
    public func event(_ record: Record, binding index: Int) -> KVMEvent? {
        fits(record, binding: index) ? decode(record, binding: index) : nil
    }

    /// How many bindings it decodes by.
    var count: Int { bindings.count }

    /// Whether the record is an event's, with every field that its format promises.
    @inline(__always)
    func fits(_ record: Record, binding index: Int) -> Bool {
        index < bindings.count && record.count >= bindings[index].length
    }

    @inline(__always)
    func entry(_ record: Record, _ binding: EventBinding) -> KVMEvent.Entry {
        Fields(record: record, slots: binding.slots).entry
    }

    @inline(__always)
    func exit(_ record: Record, _ binding: EventBinding) -> KVMEvent.Exit {
        Fields(record: record, slots: binding.slots).exit
    }

    /// The event of a record that fits.
    @inline(never)
    func decode(_ record: Record, binding index: Int) -> KVMEvent {
        order == .little ? decode(record, bindings[index]) : decodeReversed(record, bindings[index])
    }

    /// Big-endian hosts are too rare to slow the others down: their fields are turned round in a copy.
    private func decodeReversed(_ record: Record, _ binding: EventBinding) -> KVMEvent {
        var bytes = [UInt8](record.bytes)
        for index in binding.slots.indices where binding.slots[index].isPresent {
            let slot = binding.slots[index]
            bytes[(slot.end - slot.size)..<slot.end].reverse()
        }
        return bytes.withUnsafeBytes { decode(Record($0) ?? record, binding) }
    }

    private func decode(_ record: Record, _ binding: EventBinding) -> KVMEvent {
        let fields = Fields(record: record, slots: binding.slots)
        switch binding.kind {
        case .entry: return .entry(fields.entry)
        case .exit: return .exit(fields.exit)
        case .nestedVMExit: return .nestedVMExit(fields.exit)
        case .nestedVMExitInject:
            return .nestedVMExitInject(
                .init(exitCode: fields[0], info1: fields[1], info2: fields[2], intInfo: fields[3], isa: fields[4]))
        case .nestedVMEnter:
            return .nestedVMEnter(
                .init(
                    rip: fields[0], nestedRIP: fields[1], intCtl: fields[2], eventInj: fields[3],
                    isa: fields[ifPresent: 4]))
        case .nestedVMEnterFailed: return .nestedVMEnterFailed(.init(error: fields[0]))
        case .smmTransition: return .smmTransition(.init(vcpu: fields[0], entering: fields[1]))
        case .pageFault:
            return .pageFault(.init(vcpu: fields[ifPresent: 0], address: fields[1], errorCode: fields[2]))
        case .markMMIOSPTE: return .markMMIOSPTE(.init(gfn: fields[0]))
        case .handleMMIOPageFault: return .handleMMIOPageFault(.init(address: fields[0], gfn: fields[1]))
        case .mmuSetSPTE: return .mmuSetSPTE(.init(gfn: fields[0]))
        case .mmio: return .mmio(.init(type: fields[0], length: fields[1], gpa: fields[2], value: fields[3]))
        case .apic: return .apic(.init(isWrite: fields[0], register: fields[1], value: fields[2]))
        case .msr:
            return .msr(.init(isWrite: fields[0], index: fields[1], value: fields[2], exception: fields[3]))
        case .apicIPI: return .apicIPI(.init(icrLow: fields[0], destination: fields[1]))
        case .apicAcceptIRQ: return .apicAcceptIRQ(fields.accept)
        case .apicvAcceptIRQ: return .apicvAcceptIRQ(fields.accept)
        case .injVIRQ:
            return .injVIRQ(
                .init(vector: fields[0], soft: fields[ifPresent: 1], reinjected: fields[ifPresent: 2]))
        case .eoi: return .eoi(.init(vcpu: fields[0], vector: fields[1]))
        case .pvEOI: return .pvEOI(.init(vcpu: fields[0], vector: fields[1]))
        case .apicvInhibitChanged:
            return .apicvInhibitChanged(.init(reason: fields[0], set: fields[1], inhibits: fields[2]))
        case .apicvUpdateRequest: return .apicvUpdateRequest(.init(activate: fields[0], bit: fields[1]))
        case .vcpuWakeup: return .vcpuWakeup(.init(nanoseconds: fields[0], waited: fields[1]))
        case .userspaceExit: return .userspaceExit(.init(reason: fields[0]))
        case .avicIncompleteIPI:
            return .avicIncompleteIPI(.init(vcpu: fields[0], icrHigh: fields[1], icrLow: fields[2], id: fields[3]))
        case .avicUnacceleratedAccess:
            return .avicUnacceleratedAccess(.init(vcpu: fields[0], offset: fields[1], isWrite: fields[2]))
        case .avicDoorbell: return .avicDoorbell(.init(vcpu: fields[0]))
        case .avicGALog: return .avicGALog(.init(vm: fields[0], vcpu: fields[1]))
        case .avicKickVCPUSlowpath:
            return .avicKickVCPUSlowpath(.init(icrHigh: fields[0], icrLow: fields[1], index: fields[2]))
        case .piIRTEUpdate: return .piIRTEUpdate(.init(vcpu: fields[0], vector: fields[1], set: fields[2]))
        case .cr: return .cr(.init(isWrite: fields[0], register: fields[1], value: fields[2]))
        }
    }

    /// A record seen through its slots. Values are cut to the payload's width.
    private struct Fields {
        let record: Record
        let slots: InlineArray<7, FieldSlot>

        @inline(__always)
        subscript<T: FixedWidthInteger>(index: Int) -> T {
            record.value(slots[index])
        }

        @inline(__always)
        subscript(index: Int) -> Bool {
            record.value(slots[index], UInt64.self) != 0
        }

        @inline(__always)
        subscript<T: FixedWidthInteger>(ifPresent index: Int) -> T? {
            slots[index].isPresent ? self[index] as T : nil
        }

        @inline(__always)
        subscript(ifPresent index: Int) -> Bool? {
            slots[index].isPresent ? self[index] as Bool : nil
        }

        @inline(__always)
        var entry: KVMEvent.Entry {
            .init(vcpu: self[ifPresent: 0], rip: self[1], intrInfo: self[ifPresent: 2])
        }

        @inline(__always)
        var exit: KVMEvent.Exit {
            .init(
                reason: self[0], isa: self[1], vcpu: self[ifPresent: 2], rip: self[3], info1: self[4], info2: self[5],
                intrInfo: self[ifPresent: 6] ?? 0)
        }

        @inline(__always)
        var accept: KVMEvent.APICAcceptIRQ {
            .init(vcpu: self[0], deliveryMode: self[1], vector: self[2], inHardIRQ: record.inHardIRQ)
        }
    }
}
