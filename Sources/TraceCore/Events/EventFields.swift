// SPDX-License-Identifier: Apache-2.0

/// An event taken apart again: what ``EventDecoder`` makes an event of, in the same order, for a record that is written.
struct EventFields {
    let kind: EventKind
    /// In the order of ``EventKind/boundFields``.
    private(set) var values = InlineArray<7, UInt64>(repeating: 0)
    /// Bit by field: the event has it.
    private(set) var present: UInt8 = 0
    /// `common_flags` of the record.
    private(set) var commonFlags: UInt8 = 0

    init(_ event: KVMEvent) {
        kind = event.kind
        switch event {
        case .entry(let entry): set(entry.vcpu.word, entry.rip.word, entry.intrInfo.word)
        case .exit(let exit), .nestedVMExit(let exit):
            set(
                exit.reason.word, exit.isa.word, exit.vcpu.word, exit.rip.word, exit.info1.word, exit.info2.word,
                exit.intrInfo.word)
        case .nestedVMExitInject(let exit):
            set(exit.exitCode.word, exit.info1.word, exit.info2.word, exit.intInfo.word, exit.isa.word)
        case .nestedVMEnter(let enter):
            set(enter.rip.word, enter.nestedRIP.word, enter.intCtl.word, enter.eventInj.word, enter.isa.word)
        case .nestedVMEnterFailed(let failure): set(failure.error.word)
        case .smmTransition(let transition): set(transition.vcpu.word, transition.entering.word)
        case .pageFault(let fault): set(fault.vcpu.word, fault.address.word, fault.errorCode.word)
        case .markMMIOSPTE(let mark): set(mark.gfn.word)
        case .handleMMIOPageFault(let fault): set(fault.address.word, fault.gfn.word)
        case .mmuSetSPTE(let spte): set(spte.gfn.word)
        case .mmio(let access): set(access.type.word, access.length.word, access.gpa.word, access.value.word)
        case .apic(let access): set(access.isWrite.word, access.register.word, access.value.word)
        case .msr(let access): set(access.isWrite.word, access.index.word, access.value.word, access.exception.word)
        case .apicIPI(let ipi): set(ipi.icrLow.word, ipi.destination.word)
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept):
            set(accept.vcpu.word, accept.deliveryMode.word, accept.vector.word)
            if accept.inHardIRQ { commonFlags = Record.hardIRQFlag }
        case .injVIRQ(let injection): set(injection.vector.word, injection.soft.word, injection.reinjected.word)
        case .eoi(let end), .pvEOI(let end): set(end.vcpu.word, end.vector.word)
        case .apicvInhibitChanged(let change): set(change.reason.word, change.set.word, change.inhibits.word)
        case .apicvUpdateRequest(let request): set(request.activate.word, request.bit.word)
        case .vcpuWakeup(let wakeup): set(wakeup.nanoseconds.word, wakeup.waited.word)
        case .userspaceExit(let exit): set(exit.reason.word)
        case .avicIncompleteIPI(let ipi): set(ipi.vcpu.word, ipi.icrHigh.word, ipi.icrLow.word, ipi.id.word)
        case .avicUnacceleratedAccess(let access): set(access.vcpu.word, access.offset.word, access.isWrite.word)
        case .avicDoorbell(let doorbell): set(doorbell.vcpu.word)
        case .avicGALog(let log): set(log.vm.word, log.vcpu.word)
        case .avicKickVCPUSlowpath(let kick): set(kick.icrHigh.word, kick.icrLow.word, kick.index.word)
        case .piIRTEUpdate(let update): set(update.vcpu.word, update.vector.word, update.set.word)
        case .cr(let access): set(access.isWrite.word, access.register.word, access.value.word)
        }
    }

    /// Fields that are nil, and those behind the last one given, are absent.
    @inline(__always)
    private mutating func set(
        _ first: UInt64?, _ second: UInt64? = nil, _ third: UInt64? = nil, _ fourth: UInt64? = nil,
        _ fifth: UInt64? = nil, _ sixth: UInt64? = nil, _ seventh: UInt64? = nil
    ) {
        set(0, first)
        set(1, second)
        set(2, third)
        set(3, fourth)
        set(4, fifth)
        set(5, sixth)
        set(6, seventh)
    }

    @inline(__always)
    private mutating func set(_ index: Int, _ value: UInt64?) {
        guard let value else { return }
        values[index] = value
        present |= 1 << UInt8(index)
    }
}

extension FixedWidthInteger {
    /// Widened with its sign: whoever takes its low bytes gets the value back.
    @inline(__always)
    var word: UInt64 { UInt64(truncatingIfNeeded: self) }
}

extension Bool {
    @inline(__always)
    var word: UInt64 { self ? 1 : 0 }
}

extension Optional where Wrapped: FixedWidthInteger {
    @inline(__always)
    fileprivate var word: UInt64? { map(\.word) }
}

extension Bool? {
    @inline(__always)
    fileprivate var word: UInt64? { map(\.word) }
}
