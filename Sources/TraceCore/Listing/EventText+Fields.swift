// SPDX-License-Identifier: Apache-2.0

extension EventText {
    /// The fields in the order of KVM's print formats (arch/x86/kvm/trace.h, mmutrace.h, 7.2).
    @inline(__always)
    mutating func fields(of event: KVMEvent) {
        switch event {
        case .entry(let entry):
            number("vcpu", entry.vcpu)
            hex("rip", entry.rip)
            hex("intr_info", entry.intrInfo)
        case .exit(let exit), .nestedVMExit(let exit):
            fields(of: exit)
        case .nestedVMExitInject(let inject):
            reason(UInt32(truncatingIfNeeded: inject.exitCode), isa: inject.isa)
            hex("info1", inject.info1)
            hex("info2", inject.info2)
            hex("int_info", inject.intInfo)
        case .nestedVMEnter(let enter):
            hex("rip", enter.rip)
            hex("nested_rip", enter.nestedRIP)
            hex("int_ctl", enter.intCtl)
            hex("event_inj", enter.eventInj)
        case .nestedVMEnterFailed(let failure):
            number("err", failure.error)
        case .smmTransition(let transition):
            number("vcpu", transition.vcpu)
            either("entering", transition.entering, "entering", "leaving")
        case .pageFault(let fault):
            number("vcpu", fault.vcpu)
            hex("address", fault.address)
            hex("error_code", fault.errorCode)
        case .markMMIOSPTE(let mark):
            hex("gfn", mark.gfn)
        case .handleMMIOPageFault(let fault):
            hex("addr", fault.address)
            hex("gfn", fault.gfn)
        case .mmuSetSPTE(let set):
            hex("gfn", set.gfn)
        case .mmio(let access):
            fields(of: access)
        case .apic(let access):
            either("write", access.isWrite, "write", "read")
            word("reg", names.register(access.register))
            hex("val", access.value)
        case .msr(let access):
            either("write", access.isWrite, "write", "read")
            hex("ecx", access.index)
            hex("data", access.value)
            flag("exception", access.exception)
        case .apicIPI(let ipi):
            fields(of: ipi)
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept):
            number("apicid", accept.vcpu)
            vector("vec", accept.vector)
            word("mode", names.mode(icrLow: UInt32(accept.deliveryMode)))
        case .injVIRQ(let injection):
            vector("vector", injection.vector)
            flag("soft", injection.soft)
            flag("reinjected", injection.reinjected)
        case .eoi(let end), .pvEOI(let end):
            number("apicid", end.vcpu)
            vector("vector", end.vector)
        case .apicvInhibitChanged(let change):
            either("set", change.set, "set", "cleared")
            inhibit("reason", UInt64(bitPattern: Int64(change.reason)))
            inhibits(change.inhibits)
        case .apicvUpdateRequest(let request):
            either("activate", request.activate, "activate", "deactivate")
            inhibit("bit", request.bit)
        case .vcpuWakeup(let wakeup):
            either("waited", wakeup.waited, "wait", "poll")
            number("ns", wakeup.nanoseconds)
        case .userspaceExit(let exit):
            word("reason", names.userspaceExit(exit.reason))
        case .avicIncompleteIPI(let ipi):
            number("vcpu", ipi.vcpu)
            hex("icrh", ipi.icrHigh)
            hex("icrl", ipi.icrLow)
            number("id", ipi.id)
        case .avicUnacceleratedAccess(let access):
            number("vcpu", access.vcpu)
            word("offset", names.register(access.offset))
            either("write", access.isWrite, "write", "read")
        case .avicDoorbell(let doorbell):
            number("vcpuid", doorbell.vcpu)
        case .avicGALog(let log):
            number("vmid", log.vm)
            number("vcpuid", log.vcpu)
        }
    }

    private mutating func fields(of exit: KVMEvent.Exit) {
        number("vcpu", exit.vcpu)
        reason(exit.reason, isa: exit.isa)
        hex("rip", exit.rip)
        hex("info1", exit.info1)
        hex("info2", exit.info2)
        hex("intr_info", exit.intrInfo)
    }

    private mutating func reason(_ recorded: UInt32, isa: UInt32) {
        let isa = ISA(recorded: isa)
        word("reason", names.exit(ExitReason(isa: isa, recorded: recorded)))
        if isa == .vmx, recorded >> 31 == 1 { flag("FAILED_VMENTRY", true) }
    }

    private mutating func fields(of access: KVMEvent.MMIO) {
        switch access.type {
        case 0: word("type", "unsatisfied-read")
        case 1: word("type", "read")
        case 2: word("type", "write")
        default: number("type", access.type)
        }
        number("len", access.length)
        hex("gpa", access.gpa)
        hex("val", access.value)
        if access.gpa >> 12 == APICPage.gfn {
            word("reg", names.register(UInt32(truncatingIfNeeded: access.gpa & 0xfff)))
        }
    }

    private mutating func fields(of ipi: KVMEvent.APICIPI) {
        number("dst", ipi.destination)
        vector("vec", UInt8(truncatingIfNeeded: ipi.icrLow))
        word("mode", names.mode(icrLow: ipi.icrLow))
        switch ipi.icrLow >> 18 & 3 {
        case 1: word("shorthand", "self")
        case 2: word("shorthand", "all")
        case 3: word("shorthand", "all-but-self")
        default: break
        }
        hex("icr_low", ipi.icrLow)
    }

    /// An inhibit by its bit's number.
    private mutating func inhibit(_ key: StaticString, _ bit: UInt64) {
        if bit < 64 { word(key, names.inhibits[Int(bit)]) } else { number(key, Int64(bitPattern: bit)) }
    }
}
