// SPDX-License-Identifier: Apache-2.0

/// Rules `l2-apic-direct` and `l2-apic-direct-x2apic`: L2 reaches L1's local APIC by itself, through MMIO that KVM
/// emulates or through x2APIC MSRs that it intercepts, while APICv is active.
///
/// The pattern of the 2023 report. It loses nothing by itself. VMX only: SVM turns AVIC off per vCPU while L2 runs.
struct L2APICDirect: ~Copyable, Sendable {
    /// Its accesses by one path.
    struct Accesses: Sendable {
        var counts = APICAccessCounts()
        var first: EventStamp?
        var last: EventStamp?
        var log = EvidenceLog()

        mutating func add(_ register: APICRegister, isWrite: Bool, at stamp: EventStamp) {
            if first == nil { first = stamp }
            last = stamp
            counts.accessed(register, isWrite: isWrite)
        }

        mutating func forget() {
            counts = APICAccessCounts()
            first = nil
        }
    }

    struct Watch: Sendable {
        var mmio = Accesses()
        var x2apic = Accesses()
        /// By the index of the first with the name.
        var registersSeen = VectorSet()
        var ipisInMisconfig: UInt64 = 0
        /// All of it happened before APICv's state was known: it counts if APICv turns out to have been active.
        var restsOnUnknown = true

        mutating func forgetAccesses() {
            mmio.forget()
            x2apic.forget()
            registersSeen = VectorSet()
            ipisInMisconfig = 0
        }
    }

    private var watches = Table<VCPUIndex, Watch>()

    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        switch transition {
        case .accessedDirectly(let register, let isWrite, let path):
            guard concerns(vcpu, machine) else { return }
            settle(vcpu, machine)
            accessed(register, isWrite: isWrite, path, vcpu, stamp)
        case .sentIPIInMisconfig:
            guard !machine.recordsNestedExits, concerns(vcpu, machine) else { return }
            settle(vcpu, machine)
            sentIPIInMisconfig(vcpu, stamp)
        case .pageChanged(.l2):
            guard let (event, shown) = machine.vcpus[vcpu].pageOfL2.shown else { return }
            watches[vcpu, default: Watch()].mmio.log.add(
                event.tracepoints[0], at: shown, isKey: true, Self.text(of: machine.vcpus[vcpu].pageOfL2.state))
        default:
            break
        }
    }

    /// The VM of this vCPU has ended: another one has its place.
    mutating func forget(_ vcpu: VCPUIndex) {
        if watches.indices.contains(vcpu) { watches[vcpu] = Watch() }
    }

    /// APICv is active now: what was seen while nothing was known of it stays if it was active then too.
    private mutating func settle(_ vcpu: VCPUIndex, _ machine: borrowing Machine) {
        let vm = machine.vcpus[vcpu].vm
        guard watches[vcpu, default: Watch()].restsOnUnknown, machine.vms[vm].apicv.state == .active else { return }
        if machine.vms[vm].apicv.initial != .active { watches[vcpu, default: Watch()].forgetAccesses() }
        watches[vcpu, default: Watch()].restsOnUnknown = false
    }

    private func concerns(_ vcpu: VCPUIndex, _ machine: borrowing Machine) -> Bool {
        let vm = machine.vcpus[vcpu].vm
        guard machine.vms[vm].isa == .vmx else { return false }
        switch machine.vms[vm].apicv.state {
        case .active: return true
        case .inhibited: return false
        // What became unknown by contradiction no later sign settles.
        case .unknown: return machine.vms[vm].apicv.contradictions == 0
        }
    }

    private mutating func accessed(
        _ register: APICRegister, isWrite: Bool, _ path: Transition.Path, _ vcpu: VCPUIndex, _ stamp: EventStamp
    ) {
        switch path {
        case .mmio: watches[vcpu, default: Watch()].mmio.add(register, isWrite: isWrite, at: stamp)
        case .x2apic: watches[vcpu, default: Watch()].x2apic.add(register, isWrite: isWrite, at: stamp)
        }
        // The first touch of each register is worth a line.
        let index = UInt8(truncatingIfNeeded: register.firstOfName.index)
        guard !watches[vcpu].registersSeen.contains(index) else { return }
        watches[vcpu].registersSeen.insert(index)
        let verb = isWrite ? "writes" : "reads"
        switch path {
        case .mmio: watches[vcpu].mmio.log.add("kvm_mmio", at: stamp, "L2 \(verb) \(register.name), emulated by KVM")
        case .x2apic: watches[vcpu].x2apic.log.add("kvm_msr", at: stamp, "L2 \(verb) x2APIC \(register.name)")
        }
    }

    /// Without `kvm_nested_vmexit`: with APICv L1's own ICR write is APIC_WRITE, so this one is L2's.
    private mutating func sentIPIInMisconfig(_ vcpu: VCPUIndex, _ stamp: EventStamp) {
        watches[vcpu, default: Watch()].mmio.add(.icr, isWrite: true, at: stamp)
        watches[vcpu].ipisInMisconfig &+= 1
        watches[vcpu].mmio.log.add(
            "kvm_apic_ipi", at: stamp, "sent while EPT_MISCONFIG was handled: an ICR write by L2")
    }

    func findings(of vcpus: [VCPUIndex], in machine: borrowing Machine) -> [RuleFinding] {
        vcpus.prefix { $0 < watches.endIndex }.flatMap { vcpu -> [RuleFinding] in
            let vm = machine.vcpus[vcpu].vm
            guard !watches[vcpu].restsOnUnknown || machine.vms[vm].apicv.initial == .active else { return [] }
            return [finding(vcpu, vm, .mmio), finding(vcpu, vm, .x2apic)].compactMap { $0 }
        }
    }

    private func finding(_ vcpu: VCPUIndex, _ vm: VMIndex, _ path: Transition.Path) -> RuleFinding? {
        let watch = watches[vcpu]
        let accesses = path == .mmio ? watch.mmio : watch.x2apic
        guard !accesses.counts.isEmpty, let first = accesses.first else { return nil }
        let count = accesses.counts.reads &+ accesses.counts.writes
        var finding = RuleFinding(
            rule: path == .mmio ? .l2APICDirect : .l2APICDirectX2APIC, grade: .exposed, vm: vm, vcpu: vcpu,
            first: first.time, last: accesses.last?.time ?? first.time, count: count,
            statement: "L2 reached L1's local APIC by itself \(count.times) "
                + (path == .mmio ? "through the page that KVM emulates" : "through x2APIC MSRs")
                + " while APICv was active. That alone loses nothing.")
        finding.registers = accesses.counts
        finding.evidence = accesses.log
        finding.inferred = watch.ipisInMisconfig > 0
        if watch.ipisInMisconfig > 0 {
            finding.limits.append(
                """
                kvm_nested_vmexit is not recorded: the accesses were told from kvm_apic_ipi inside EPT_MISCONFIG exits, so \
                accesses other than IPIs are not counted.
                """)
        }
        return finding
    }

    private static func text(of state: APICPage.State) -> String {
        switch state {
        case .hookedByL1: "L1 hooks the APIC page: L2's access faults and is handed to L1"
        case .mmioSPTE: "L1 lets L2 through: MMIO SPTE for gfn fee00, KVM emulates L2's accesses from here on"
        case .emulateOnly: "the APIC page is emulated without an SPTE"
        case .mapped: "the APIC page is mapped"
        case .untouched: "the APIC page is untouched"
        }
    }
}
