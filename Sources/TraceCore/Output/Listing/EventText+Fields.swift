// SPDX-License-Identifier: Apache-2.0

extension EventText {
    /// The fields in the order of KVM's print formats (arch/x86/kvm/trace.h, mmutrace.h, 7.2).
    @inline(__always)
    func add(_ event: KVMEvent, to out: inout OutputSpan<UInt8>) {
        switch event {
        case .entry(let entry):
            number("vcpu", entry.vcpu, &out)
            hex("rip", entry.rip, &out)
            hex("intr_info", entry.intrInfo, &out)
        case .exit(let exit), .nestedVMExit(let exit):
            add(exit, to: &out)
        case .nestedVMExitInject(let inject):
            reason(UInt32(truncatingIfNeeded: inject.exitCode), isa: inject.isa, &out)
            hex("info1", inject.info1, &out)
            hex("info2", inject.info2, &out)
            hex("int_info", inject.intInfo, &out)
        case .nestedVMEnter(let enter):
            hex("rip", enter.rip, &out)
            hex("nested_rip", enter.nestedRIP, &out)
            hex("int_ctl", enter.intCtl, &out)
            hex("event_inj", enter.eventInj, &out)
        case .nestedVMEnterFailed(let failure):
            number("err", failure.error, &out)
        case .smmTransition(let transition):
            number("vcpu", transition.vcpu, &out)
            either("entering", transition.entering, "entering", "leaving", &out)
        case .pageFault(let fault):
            number("vcpu", fault.vcpu, &out)
            hex("address", fault.address, &out)
            hex("error_code", fault.errorCode, &out)
        case .markMMIOSPTE(let mark):
            hex("gfn", mark.gfn, &out)
        case .handleMMIOPageFault(let fault):
            hex("addr", fault.address, &out)
            hex("gfn", fault.gfn, &out)
        case .mmuSetSPTE(let set):
            hex("gfn", set.gfn, &out)
        case .mmio(let access):
            add(access, to: &out)
        case .apic(let access):
            either("write", access.isWrite, "write", "read", &out)
            word("reg", names.register(access.register), &out)
            hex("val", access.value, &out)
        case .msr(let access):
            either("write", access.isWrite, "write", "read", &out)
            hex("ecx", access.index, &out)
            hex("data", access.value, &out)
            flag("exception", access.exception, &out)
        case .cr(let access):
            either("write", access.isWrite, "write", "read", &out)
            number("cr", access.register, &out)
            hex("val", access.value, &out)
        case .apicIPI(let ipi):
            add(ipi, to: &out)
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept):
            number("apicid", accept.vcpu, &out)
            vector("vec", accept.vector, &out)
            word("mode", names.mode(icrLow: UInt32(accept.deliveryMode)), &out)
        case .injVIRQ(let injection):
            vector("vector", injection.vector, &out)
            flag("soft", injection.soft, &out)
            flag("reinjected", injection.reinjected, &out)
        case .eoi(let end), .pvEOI(let end):
            number("apicid", end.vcpu, &out)
            vector("vector", end.vector, &out)
        case .apicvInhibitChanged(let change):
            either("set", change.set, "set", "cleared", &out)
            inhibit("reason", UInt64(bitPattern: Int64(change.reason)), &out)
            inhibits(change.inhibits, &out)
        case .apicvUpdateRequest(let request):
            either("activate", request.activate, "activate", "deactivate", &out)
            inhibit("bit", request.bit, &out)
        case .vcpuWakeup(let wakeup):
            either("waited", wakeup.waited, "wait", "poll", &out)
            number("ns", wakeup.nanoseconds, &out)
        case .userspaceExit(let exit):
            word("reason", names.userspaceExit(exit.reason), &out)
        case .avicIncompleteIPI(let ipi):
            number("vcpu", ipi.vcpu, &out)
            hex("icrh", ipi.icrHigh, &out)
            hex("icrl", ipi.icrLow, &out)
            number("id", ipi.id, &out)
        case .avicUnacceleratedAccess(let access):
            number("vcpu", access.vcpu, &out)
            word("offset", names.register(access.offset), &out)
            either("write", access.isWrite, "write", "read", &out)
        case .avicDoorbell(let doorbell):
            number("vcpuid", doorbell.vcpu, &out)
        case .avicGALog(let log):
            number("vmid", log.vm, &out)
            number("vcpuid", log.vcpu, &out)
        case .avicKickVCPUSlowpath(let kick):
            hex("icrh", kick.icrHigh, &out)
            hex("icrl", kick.icrLow, &out)
            number("index", kick.index, &out)
        case .piIRTEUpdate(let update):
            number("vcpu_id", update.vcpu, &out)
            hex("gvec", update.vector, &out)
            either("set", update.set, "set", "cleared", &out)
        }
    }

    private func add(_ exit: KVMEvent.Exit, to out: inout OutputSpan<UInt8>) {
        number("vcpu", exit.vcpu, &out)
        reason(exit.reason, isa: exit.isa, &out)
        hex("rip", exit.rip, &out)
        hex("info1", exit.info1, &out)
        hex("info2", exit.info2, &out)
        hex("intr_info", exit.intrInfo, &out)
    }

    private func reason(_ recorded: UInt32, isa: UInt32, _ out: inout OutputSpan<UInt8>) {
        let isa = ISA(recorded: isa)
        word("reason", names.exit(ExitReason(isa: isa, recorded: recorded)), &out)
        if isa == .vmx, recorded >> 31 == 1 { flag("FAILED_VMENTRY", true, &out) }
    }

    private func add(_ access: KVMEvent.MMIO, to out: inout OutputSpan<UInt8>) {
        switch access.type {
        case 0: word("type", "unsatisfied-read", &out)
        case 1: word("type", "read", &out)
        case 2: word("type", "write", &out)
        default: number("type", access.type, &out)
        }
        number("len", access.length, &out)
        hex("gpa", access.gpa, &out)
        hex("val", access.value, &out)
        if access.gpa >> 12 == APICPage.gfn {
            word("reg", names.register(UInt32(truncatingIfNeeded: access.gpa & 0xfff)), &out)
        }
    }

    private func add(_ ipi: KVMEvent.APICIPI, to out: inout OutputSpan<UInt8>) {
        number("dst", ipi.destination, &out)
        vector("vec", UInt8(truncatingIfNeeded: ipi.icrLow), &out)
        word("mode", names.mode(icrLow: ipi.icrLow), &out)
        switch ipi.icrLow >> 18 & 3 {
        case 1: word("shorthand", "self", &out)
        case 2: word("shorthand", "all", &out)
        case 3: word("shorthand", "all-but-self", &out)
        default: break
        }
        hex("icr_low", ipi.icrLow, &out)
    }

    /// An inhibit by its bit's number.
    private func inhibit(_ key: StaticString, _ bit: UInt64, _ out: inout OutputSpan<UInt8>) {
        if bit < 64 { word(key, names.inhibits[Int(bit)], &out) } else { number(key, Int64(bitPattern: bit), &out) }
    }
}
