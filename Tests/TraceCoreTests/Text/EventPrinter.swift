// SPDX-License-Identifier: Apache-2.0

@testable import TraceCore

/// Puts events into words as a kernel does, or libtraceevent's plugin.
///
/// Sources: print formats of arch/x86/kvm/trace.h and mmu/mmutrace.h, 5.10 to 7.2; plugins/plugin_kvm.c of libtraceevent 1.7.
struct EventPrinter {
    enum Words: Sendable {
        case kernel, plugin
    }

    var words: Words
    /// By bit, of a kernel that prints them.
    var inhibitNames: [String]

    /// What of an event the words hold.
    func carried(_ event: KVMEvent) -> KVMEvent {
        switch event {
        case .entry(var entry) where words == .plugin:
            entry.intrInfo = nil
            return .entry(entry)
        case .exit(var exit) where words == .plugin:
            exit.vcpu = nil
            exit.intrInfo = 0
            return .exit(exit)
        case .nestedVMEnter(var enter):
            enter.isa = enter.isa ?? ISA.svm.recorded
            return .nestedVMEnter(enter)
        case .nestedVMEnterFailed(var failure):
            if Self.errors[failure.error] == nil { failure.error = 0 }
            return .nestedVMEnterFailed(failure)
        case .apicIPI(var ipi):
            ipi.icrLow &= 0xc_cfff
            return .apicIPI(ipi)
        case .apicAcceptIRQ(var accept):
            accept.deliveryMode &= 0x700
            return .apicAcceptIRQ(accept)
        case .apicvAcceptIRQ(var accept):
            accept.deliveryMode &= 0x700
            return .apicvAcceptIRQ(accept)
        default: return event
        }
    }

    func text(_ event: KVMEvent) -> String {
        switch event {
        case .entry(let entry): text(entry)
        case .exit(let exit):
            words == .plugin
                ? "\(pluginReason(exit.reason, exit.isa)) rip \(exit.rip.hex) info \(exit.info1.digits) \(exit.info2.digits)"
                : text(exit)
        case .nestedVMExit(let exit): (words == .plugin ? "<CANT FIND FIELD rip>" : "") + text(exit)
        case .nestedVMExitInject(let inject): text(inject)
        case .nestedVMEnter(let enter): text(enter)
        case .nestedVMEnterFailed(let failure):
            "VM-entry failure: " + (Self.errors[failure.error] ?? (failure.error == 0 ? "" : failure.error.hex))
        case .smmTransition(let smm): "vcpu \(smm.vcpu): \(smm.entering ? "entering" : "leaving") SMM, smbase 0x30000"
        case .pageFault(let fault):
            fault.vcpu.map { "vcpu \($0) rip 0x1000 address \(fault.address.wide) error_code \(fault.errorCode.hex)" }
                ?? "address \(fault.address.digits) error_code \(fault.errorCode.digits)"
        case .markMMIOSPTE(let mark): "sptep:00000000d1f2c3b4 gfn \(mark.gfn.digits) access 7 gen 1b"
        case .handleMMIOPageFault(let fault): "addr:\(fault.address.digits) gfn \(fault.gfn.digits) access 7"
        case .mmuSetSPTE(let spte): "gfn \(spte.gfn.digits) spte 5bf2e67 (rwxu) level 1 at 7f20058"
        case .mmio(let mmio):
            "mmio \(["unsatisfied-read", "read", "write"][Int(min(mmio.type, 2))]) len \(mmio.length) gpa \(mmio.gpa.hex) "
                + "val \(mmio.value.hex)"
        case .apic(let access):
            "apic_\(access.isWrite ? "write" : "read") \(Self.register(access.register)) = \(access.value.hex)"
        case .msr(let access):
            "msr_\(access.isWrite ? "write" : "read") \(access.index.digits) = \(access.value.hex)"
                + (access.exception ? " (#GP)" : "")
        case .cr(let access):
            "cr_\(access.isWrite ? "write" : "read") \(access.register.digits) = \(access.value.hex)"
        case .apicIPI(let ipi): text(ipi)
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept):
            "apicid \(accept.vcpu.digits) vec \(accept.vector) (\(Self.modes[Int(accept.deliveryMode >> 8 & 7)])|edge)"
        case .injVIRQ(let injection): text(injection)
        case .eoi(let eoi), .pvEOI(let eoi): "apicid \(eoi.vcpu.digits) vector \(eoi.vector)"
        case .apicvInhibitChanged(let change): text(change)
        case .apicvUpdateRequest(let request): "\(request.activate ? "activate" : "deactivate") bit=\(request.bit)"
        case .vcpuWakeup(let wakeup):
            "\(wakeup.waited ? "wait" : "poll") time \(wakeup.nanoseconds) ns, polling valid"
        case .userspaceExit(let exit): "reason KVM_EXIT_\(exit.reason == 5 ? "HLT" : "IO") (\(exit.reason))"
        default: avicText(event)
        }
    }

    private func avicText(_ event: KVMEvent) -> String {
        switch event {
        case .avicIncompleteIPI(let ipi):
            "vcpu=\(ipi.vcpu), icrh:icrl=\(ipi.icrHigh.word32):\(ipi.icrLow.word32.dropFirst(2)), id=\(ipi.id), index=0"
        case .avicUnacceleratedAccess(let access):
            "vcpu=\(access.vcpu), offset=\(access.offset.hex)(\(Self.register(access.offset))), trap, "
                + "\(access.isWrite ? "write" : "read"), vec=0x0"
        case .avicDoorbell(let doorbell): "vcpuid=\(doorbell.vcpu), apicid=\(doorbell.vcpu)"
        case .avicGALog(let log): "vmid=\(log.vm), vcpuid=\(log.vcpu)"
        case .avicKickVCPUSlowpath(let kick):
            "icrh:icrl=\(kick.icrHigh.hex):\(kick.icrLow.word32.dropFirst(2)), index=\(kick.index)"
        case .piIRTEUpdate(let update):
            "PI is \(update.set ? "enabled and being updated" : "disabled") for irq 48, vcpu \(update.vcpu), gsi: 0x18, "
                + "gvec: \(update.vector.hex)"
        default: ""
        }
    }

    // MARK: - Events of several forms

    private func text(_ entry: KVMEvent.Entry) -> String {
        let vcpu = "vcpu \(entry.vcpu ?? 0)"
        guard let rip = entry.rip else { return words == .plugin ? " \(vcpu)<CANT FIND FIELD rip>\(vcpu)" : vcpu }
        if words == .plugin { return " \(vcpu) rip \(rip.hex)" }
        let info = entry.intrInfo.map { " intr_info \($0.word32) error_code 0x00000000" } ?? ""
        return "\(vcpu), rip \(rip.hex)\(info)"
    }

    private func text(_ exit: KVMEvent.Exit) -> String {
        let vcpu = exit.vcpu.map { "vcpu \($0) " } ?? ""
        return "\(vcpu)reason \(reason(exit.reason, exit.isa)) rip \(exit.rip.hex) info1 \(exit.info1.wide) "
            + "info2 \(exit.info2.wide) intr_info \(exit.intrInfo.word32) error_code 0x00000000"
    }

    private func text(_ inject: KVMEvent.NestedVMExitInject) -> String {
        let code = UInt32(truncatingIfNeeded: inject.exitCode)
        if words == .plugin {
            return "\(pluginReason(code, inject.isa)) info1 \(inject.info1.digits) info2 \(inject.info2.digits) "
                + "int_info \(inject.intInfo.digits) int_info_err 0"
        }
        return "reason: \(reason(code, inject.isa)) ext_inf1: \(inject.info1.wide) ext_inf2: \(inject.info2.wide) "
            + "ext_int: \(inject.intInfo.word32) ext_int_err: 0x00000000"
    }

    private func text(_ enter: KVMEvent.NestedVMEnter) -> String {
        // Before 6.0 the event was SVM's alone, and had other words.
        guard let isa = enter.isa else {
            return "rip: \(enter.rip.wide) vmcb: 0x0000000000001000 nrip: \(enter.nestedRIP.wide) "
                + "int_ctl: \(enter.intCtl.word32) event_inj: \(enter.eventInj.word32) npt: on"
        }
        let isVMX = isa == ISA.vmx.recorded
        return
            "rip: \(enter.rip.wide) \(isVMX ? "vmcs" : "vmcb"): 0x0000000000001000 nested_rip: \(enter.nestedRIP.wide) "
            + "int_ctl: \(enter.intCtl.word32) event_inj: \(enter.eventInj.word32) "
            + (isVMX ? "nested_ept=y nested_eptp: " : "nested_npt=y nested_cr3: ") + "0x000000000000501e"
    }

    private func text(_ ipi: KVMEvent.APICIPI) -> String {
        let icr = ipi.icrLow
        return "dst \(ipi.destination.digits) vec \(icr & 0xff) (\(Self.modes[Int(icr >> 8 & 7)])|"
            + (icr & 1 << 11 != 0 ? "logical" : "physical") + (icr & 1 << 14 != 0 ? "|assert" : "|de-assert")
            + (icr & 1 << 15 != 0 ? "|level|" : "|edge|") + ["dst", "self", "all", "all-but-self"][Int(icr >> 18 & 3)]
            + ")"
    }

    private func text(_ injection: KVMEvent.InjVIRQ) -> String {
        guard let soft = injection.soft else { return "irq \(injection.vector)" }
        return (soft ? "Soft/INTn " : "IRQ ") + injection.vector.hex
            + (injection.reinjected == true ? " [reinjected]" : "")
    }

    private func text(_ change: KVMEvent.APICvInhibitChanged) -> String {
        let names = inhibitNames.indices.filter { change.inhibits >> UInt64($0) & 1 == 1 }.map { inhibitNames[$0] }
        let areKnown = !inhibitNames.isEmpty && change.inhibits != 0
        return "\(change.set ? "set" : "cleared") reason=\(change.reason), inhibits=\(change.inhibits.hex)"
            + (areKnown ? " " + names.joined(separator: "|") : "")
    }

    // MARK: - Names

    private func reason(_ recorded: UInt32, _ isa: UInt32) -> String {
        let reason = ExitReason(isa: ISA(recorded: isa), recorded: recorded)
        let known = reason.isa == .svm ? ExitReason.svmNames[reason.code] : ExitReason.vmxNames[reason.code]
        let isFailure = reason.isa == .vmx && recorded & 1 << 31 != 0
        return (known ?? reason.code.hex) + (isFailure ? " FAILED_VMENTRY" : "")
    }

    private func pluginReason(_ recorded: UInt32, _ isa: UInt32) -> String {
        let name = isa == ISA.svm.recorded ? Self.pluginSVM[recorded] : ExitReason.vmxNames[recorded]
        return "reason " + (name ?? "UNKNOWN (\(recorded))")
    }

    private static let pluginSVM: [UInt32: String] = [
        0x00: "EXIT_READ_CR0", 0x10: "EXIT_WRITE_CR0", 0x13: "EXIT_WRITE_CR3", 0x14: "EXIT_WRITE_CR4",
        0x18: "EXIT_WRITE_CR8", 0x46: "EXIT_EXCP_UD", 0x4d: "EXIT_EXCP_GP", 0x4e: "EXIT_EXCP_PF", 0x60: "EXIT_INTR",
        0x61: "EXIT_NMI", 0x62: "EXIT_SMI", 0x63: "EXIT_INIT", 0x64: "EXIT_VINTR", 0x65: "EXIT_CR0_SEL_WRITE",
        0x6e: "EXIT_RDTSC", 0x6f: "EXIT_RDPMC", 0x72: "EXIT_CPUID", 0x73: "EXIT_RSM", 0x74: "EXIT_IRET",
        0x76: "EXIT_INVD", 0x77: "EXIT_PAUSE", 0x78: "EXIT_HLT", 0x79: "EXIT_INVLPG", 0x7b: "EXIT_IOIO",
        0x7c: "EXIT_MSR", 0x7f: "EXIT_SHUTDOWN", 0x80: "EXIT_VMRUN", 0x81: "EXIT_VMMCALL", 0x82: "EXIT_VMLOAD",
        0x83: "EXIT_VMSAVE", 0x84: "EXIT_STGI", 0x85: "EXIT_CLGI", 0x89: "EXIT_WBINVD", 0x8d: "EXIT_XSETBV",
        0x400: "EXIT_NPF", 0x401: "EXIT_AVIC_INCOMPLETE_IPI", 0x402: "EXIT_AVIC_UNACCELERATED_ACCESS",
    ]

    private static let modes = ["Fixed", "LowPrio", "SMI", "Res3", "NMI", "INIT", "SIPI", "ExtINT"]

    private static let errors: [UInt32: String] = [
        4: "VMLAUNCH_NONCLEAR_VMCS", 5: "VMRESUME_NONLAUNCHED_VMCS", 6: "VMRESUME_AFTER_VMXOFF",
        7: "VMENTRY_INVALID_CONTROL_FIELD", 8: "VMENTRY_INVALID_HOST_STATE_FIELD",
        26: "VMENTRY_EVENTS_BLOCKED_BY_MOV_SS",
    ]

    private static let registers: [UInt32: String] = [
        0x20: "ID", 0x30: "LVR", 0x80: "TASKPRI", 0x90: "ARBPRI", 0xa0: "PROCPRI", 0xb0: "EOI", 0xc0: "RRR",
        0xd0: "LDR",
        0xe0: "DFR", 0xf0: "SPIV", 0x100: "ISR", 0x180: "TMR", 0x200: "IRR", 0x280: "ESR", 0x300: "ICR", 0x310: "ICR2",
        0x320: "LVTT", 0x330: "LVTTHMR", 0x340: "LVTPC", 0x350: "LVT0", 0x360: "LVT1", 0x370: "LVTERR", 0x380: "TMICT",
        0x390: "TMCCT", 0x3e0: "TDCR", 0x3f0: "SELF_IPI", 0x400: "EFEAT", 0x410: "ECTRL",
    ]

    private static func register(_ offset: UInt32) -> String { registers[offset].map { "APIC_" + $0 } ?? offset.hex }
}

extension FixedWidthInteger {
    /// `%llx`, `0x%llx`, `0x%08x` and `0x%016llx`.
    fileprivate var digits: String { String(self, radix: 16) }
    fileprivate var hex: String { "0x" + digits }
    fileprivate var word32: String { "0x" + padded(8) }
    fileprivate var wide: String { "0x" + padded(16) }

    private func padded(_ width: Int) -> String {
        String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
