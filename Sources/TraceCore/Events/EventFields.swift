// SPDX-License-Identifier: Apache-2.0

/// An event taken apart again: what ``EventDecoder`` makes an event of, in the same order, for a record that is written.
struct EventFields {
    let kind: EventKind
    /// In the order of ``EventKind/boundFields``.
    private(set) var values = InlineArray<7, UInt64>(repeating: 0)
    /// Bit by field: the event has it.
    private(set) var present: UInt8 = 0
    private var count = 0

    init(_ event: KVMEvent) {
        kind = event.kind
        switch event {
        case .entry(let entry): add(entry.vcpu, entry.rip, entry.intrInfo)
        case .exit(let exit), .nestedVMExit(let exit):
            add(exit.reason, exit.isa, exit.vcpu, exit.rip, exit.info1, exit.info2, exit.intrInfo)
        case .nestedVMExitInject(let exit): add(exit.exitCode, exit.info1, exit.info2, exit.intInfo, exit.isa)
        case .nestedVMEnter(let enter): add(enter.rip, enter.nestedRIP, enter.intCtl, enter.eventInj, enter.isa)
        case .nestedVMEnterFailed(let failure): add(failure.error)
        case .smmTransition(let transition): add(transition.vcpu, transition.entering.bit)
        case .pageFault(let fault): add(fault.vcpu, fault.address, fault.errorCode)
        case .markMMIOSPTE(let mark): add(mark.gfn)
        case .handleMMIOPageFault(let fault): add(fault.address, fault.gfn)
        case .mmuSetSPTE(let set): add(set.gfn)
        case .mmio(let access): add(access.type, access.length, access.gpa, access.value)
        case .apic(let access): add(access.isWrite.bit, access.register, access.value)
        case .msr(let access): add(access.isWrite.bit, access.index, access.value, access.exception.bit)
        case .apicIPI(let ipi): add(ipi.icrLow, ipi.destination)
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept):
            add(accept.vcpu, accept.deliveryMode, accept.vector)
        case .injVIRQ(let injection): add(injection.vector, injection.soft?.bit, injection.reinjected?.bit)
        case .eoi(let end), .pvEOI(let end): add(end.vcpu, end.vector)
        case .apicvInhibitChanged(let change): add(change.reason, change.set.bit, change.inhibits)
        case .apicvUpdateRequest(let request): add(request.activate.bit, request.bit)
        case .vcpuWakeup(let wakeup): add(wakeup.nanoseconds, wakeup.waited.bit)
        case .userspaceExit(let exit): add(exit.reason)
        case .avicIncompleteIPI(let ipi): add(ipi.vcpu, ipi.icrHigh, ipi.icrLow, ipi.id)
        case .avicUnacceleratedAccess(let access): add(access.vcpu, access.offset, access.isWrite.bit)
        case .avicDoorbell(let doorbell): add(doorbell.vcpu)
        case .avicGALog(let log): add(log.vm, log.vcpu)
        }
    }

    @inline(__always)
    private mutating func add<each Value: FixedWidthInteger>(_ value: repeat (each Value)?) {
        repeat add(each value)
    }

    @inline(__always)
    private mutating func add(_ value: (some FixedWidthInteger)?) {
        if let value {
            values[count] = UInt64(truncatingIfNeeded: value)
            present |= 1 << UInt8(count)
        }
        count += 1
    }
}

extension Bool {
    fileprivate var bit: UInt8 { self ? 1 : 0 }
}
