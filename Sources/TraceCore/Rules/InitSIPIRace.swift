// SPDX-License-Identifier: Apache-2.0

/// Rule `init-sipi-race`: a SIPI offered to a vCPU that has not yet taken its INIT while it is in VMX operation. KVM
/// drops it (kvm_apic_accept_events, arch/x86/kvm/lapic.c): L1 learns of the INIT only, and the vCPU waits for ever.
///
/// The 2023 report's second problem; it has nothing to do with APICv. A later SIPI that L1 is notified of makes it harmless.
/// Without nesting KVM drops no SIPI in the open: there observation `never-ran` tells what came of it.
struct InitSIPIRace: ~Copyable, Sendable {
    enum Phase: Sendable {
        case idle
        case initOffered(EventStamp)
        /// `hasEntered`: L1 has entered L2 since, which an INIT that waits would end at once.
        case raced(initial: EventStamp, sipi: EventStamp, hasEntered: Bool)
        case waiting(initial: EventStamp, sipi: EventStamp, taken: EventStamp)
    }

    private var phases = Table<VCPUIndex, Phase>()

    /// How long a vCPU may wait for a SIPI before it counts as forgotten; hypervisors send the second after 10 ms.
    static let nanosecondsNeeded: UInt64 = 100_000_000

    @inline(__always)
    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        // Nearly all the time nothing but an INIT means anything.
        if case .offered = transition {} else if isIdle(vcpu) { return }
        advance(transition, vcpu, stamp, machine)
    }

    @inline(__always)
    private func isIdle(_ vcpu: VCPUIndex) -> Bool {
        if phases.contains(vcpu), case .idle = phases[vcpu] { return true }
        return !phases.contains(vcpu)
    }

    @inline(never)
    private mutating func advance(
        _ transition: Transition, _ vcpu: VCPUIndex, _ stamp: EventStamp, _ machine: borrowing Machine
    ) {
        let phase = phases.contains(vcpu) ? phases[vcpu] : .idle
        guard machine.vcpus[vcpu].hasNested, machine.vms[machine.vcpus[vcpu].vm].isa == .vmx else { return }
        switch (transition, phase) {
        case (.offered(.`init`, _), .idle), (.offered(.`init`, _), .raced):
            // A second INIT is another story: the vCPU has been through a reset since, which leaves no event.
            phases[vcpu, default: .idle] = .initOffered(stamp)
        case (.offered(.sipi, _), .initOffered(let initial)):
            phases[vcpu, default: .idle] = .raced(initial: initial, sipi: stamp, hasEntered: false)
        case (.enteringL2, .raced(let initial, let sipi, let hasEntered)):
            phases[vcpu, default: .idle] = hasEntered ? .idle : .raced(initial: initial, sipi: sipi, hasEntered: true)
        case (.initTaken, .raced(let initial, let sipi, _)):
            // A vCPU that ran on after the SIPI had been through both (kvm_apic_accept_events comes before each entry).
            phases[vcpu, default: .idle] =
                machine.vcpus[vcpu].enteredAt > sipi.time
                ? .idle : .waiting(initial: initial, sipi: sipi, taken: stamp)
        case (.acknowledged, .waiting), (.ended, .waiting), (.accessHooked, .waiting), (.accessedDirectly, .waiting):
            // It runs, and waits for nothing.
            phases[vcpu, default: .idle] = .idle
        case (.initTaken, .initOffered), (.sipiTaken, _), (.gap, _), (.reset, _):
            phases[vcpu, default: .idle] = .idle
        default:
            break
        }
    }

    /// The VM of this vCPU has ended: another one has its place.
    mutating func forget(_ vcpu: VCPUIndex) {
        if phases.indices.contains(vcpu) { phases[vcpu] = .idle }
    }

    func findings(in machine: borrowing Machine) -> [RuleFinding] {
        phases.indices.compactMap { vcpu in
            guard case .waiting(let initial, let sipi, let taken) = phases[vcpu], machine.measuresTime,
                machine.now.elapsed(since: taken.time) >= Self.nanosecondsNeeded
            else { return nil }
            var finding = RuleFinding(
                rule: .initSIPIRace, grade: .suspect, vm: machine.vcpus[vcpu].vm, vcpu: vcpu, first: initial.time,
                last: machine.now, count: 1,
                statement: "A SIPI came before the vCPU had taken its INIT and was dropped; no later one reached L1.")
            finding.evidence.add("kvm_apic_accept_irq", at: initial, "INIT offered")
            finding.evidence.add("kvm_apic_accept_irq", at: sipi, "SIPI offered, INIT not yet taken")
            finding.evidence.add("kvm_nested_vmexit_inject", at: taken, "L1 is told of the INIT; the SIPI is gone")
            return finding
        }
    }
}
