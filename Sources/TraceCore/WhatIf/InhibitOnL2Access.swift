// SPDX-License-Identifier: Apache-2.0

/// What if KVM had inhibited APICv when L2 first reached L1's APIC page: a policy in front of each VM's inhibit mask.
///
/// The machine goes on with the mask that the kernel had. The policy adds a bit of its own, which is never cleared, and counts what
/// happened while that bit alone would have kept APICv from being active.
///
/// Source: "[RFC PATCH] KVM: x86: inhibit APICv upon detecting direct APIC access from L2" (kvm list, 2023-08-07), which was not
/// merged: __kvm_faultin_pfn (arch/x86/kvm/mmu/mmu.c) sets the inhibit where L2 faults on the APIC access slot and
/// kvm_apicv_activated().
struct InhibitOnL2Access: Sendable {
    /// What set the policy's bit.
    struct Trigger: Equatable, Sendable {
        var entry: EvidenceEntry
        var vcpu: VCPUIndex
        /// The fault itself was not seen: it came before this.
        var isLate: Bool
        /// The VM's exits, and accepted interrupts that were merged with one that waited, until then.
        var exits: UInt64
        var coalesced: UInt64
    }

    struct Watch: Sendable {
        fileprivate(set) var trigger: Trigger?
        /// APICv's state was not known at the trigger: it counts if APICv turns out to have been active.
        fileprivate(set) var restsOnUnknown = false
        /// L2 reached the page while APICv was inhibited, or while nothing tells whether it was.
        fileprivate(set) var reachedWhileInhibited = false
        fileprivate(set) var reachedWhileUnknown = false
        /// L2's accesses through x2APIC's registers, of which the policy takes no notice.
        fileprivate(set) var x2apic: UInt64 = 0
        /// L2's accesses from the trigger on, of which all were emulated and still would be.
        fileprivate(set) var direct = APICAccessCounts()
        /// While the policy's bit alone is set: interrupts that L1's APIC accepted, those of them that hardware delivers without an
        /// exit, and those whose end was an exit.
        fileprivate(set) var accepted: UInt64 = 0
        fileprivate(set) var posted: UInt64 = 0
        fileprivate(set) var ended: UInt64 = 0
        /// Since when the policy's bit alone is set, and for how long it was before.
        fileprivate var heldSince: UInt64?
        fileprivate var held: UInt64 = 0

        /// How long the policy's bit alone kept APICv inhibited, in the clock's unit.
        func held(until end: UInt64) -> UInt64 { held &+ (heldSince.map { end > $0 ? end - $0 : 0 } ?? 0) }
    }

    private var watches = [Watch]()

    /// What the policy did to a VM; what turned out to rest on nothing is none.
    func settled(_ vm: VMIndex, in machine: borrowing Machine) -> Watch {
        let watch = watch(of: vm)
        guard watch.restsOnUnknown, machine.vms[vm].apicv.initial != .active else { return watch }
        var nothing = Watch()
        (nothing.reachedWhileUnknown, nothing.x2apic) = (true, watch.x2apic)
        return nothing
    }

    private func watch(of vm: VMIndex) -> Watch { vm.place < watches.count ? watches[vm.place] : Watch() }

    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        let vm = machine.vcpus[vcpu].vm
        switch transition {
        case .pageChanged(.l2):
            guard let (event, shown) = machine.vcpus[vcpu].pageOfL2.shown else { return }
            switch machine.vcpus[vcpu].pageOfL2.state {
            case .mmioSPTE:
                // Another event than mark_mmio_spte is of an SPTE that was there before.
                reached(event, at: shown, isLate: event != .markMMIOSPTE, vcpu, machine)
            case .emulateOnly: reached(event, at: shown, isLate: false, vcpu, machine)
            case .untouched, .hookedByL1, .mapped: break
            }
        case .accessedDirectly(_, _, .x2apic):
            make(vm)
            watches[vm.place].x2apic &+= 1
        case .accessedDirectly(let register, let isWrite, .mmio):
            reached(.mmio, at: stamp, isLate: true, vcpu, machine)
            if watch(of: vm).trigger != nil { watches[vm.place].direct.accessed(register, isWrite: isWrite) }
        case .sentIPIInMisconfig:
            // With APICv L1's own ICR write is APIC_WRITE, so that this one is L2's.
            guard !machine.recordsNestedExits else { return }
            reached(.apicIPI, at: stamp, isLate: true, vcpu, machine)
            if watch(of: vm).trigger != nil { watches[vm.place].direct.accessed(.icr, isWrite: true) }
        case .accepted(_, _, let silent):
            guard watch(of: vm).heldSince != nil else { return }
            watches[vm.place].accepted &+= 1
            if silent { watches[vm.place].posted &+= 1 }
        case .ended:
            guard watch(of: vm).heldSince != nil else { return }
            watches[vm.place].ended &+= 1
        case .inhibitsChanged: changed(vm, at: stamp, machine)
        default: break
        }
    }

    /// The places of a VM that ended are another's.
    mutating func forget(_ vm: VMIndex) {
        if vm.place < watches.count { watches[vm.place] = Watch() }
    }

    /// KVM's check: kvm_apicv_activated(), and the bit stays.
    private mutating func reached(
        _ event: EventKind, at stamp: EventStamp, isLate: Bool, _ vcpu: VCPUIndex, _ machine: borrowing Machine
    ) {
        let vm = machine.vcpus[vcpu].vm
        make(vm)
        guard watches[vm.place].trigger == nil else { return }
        let apicv = machine.vms[vm].apicv
        switch apicv.state {
        case .active: break
        case .inhibited:
            watches[vm.place].reachedWhileInhibited = true
            return
        case .unknown:
            watches[vm.place].reachedWhileUnknown = true
            // What became unknown by contradiction no later sign settles.
            guard apicv.contradictions == 0 else { return }
        }
        watches[vm.place].trigger = Trigger(
            entry: EvidenceEntry(
                stamp: stamp, event: event.tracepoints[0],
                text: isLate
                    ? "L2's access to L1's APIC page is emulated: it faulted before" : "L2 faults on L1's APIC page"),
            vcpu: vcpu, isLate: isLate, exits: machine.exits(ofVM: vm),
            coalesced: machine.coalesced(ofVM: vm))
        watches[vm.place].restsOnUnknown = apicv.state == .unknown
        watches[vm.place].heldSince = stamp.time
    }

    private mutating func make(_ vm: VMIndex) {
        while watches.count <= vm.place { watches.append(Watch()) }
    }

    /// The time that is asked for begins: what was inhibited before still is, and nothing is counted yet.
    mutating func begin(at time: UInt64) {
        for vm in watches.indices {
            var watch = Watch()
            watch.trigger = watches[vm].trigger
            watch.trigger?.exits = 0
            watch.trigger?.coalesced = 0
            watch.restsOnUnknown = watches[vm].restsOnUnknown
            watch.heldSince = watches[vm].heldSince.map { _ in time }
            watches[vm] = watch
        }
    }

    private mutating func changed(_ vm: VMIndex, at stamp: EventStamp, _ machine: borrowing Machine) {
        let watch = watch(of: vm)
        guard watch.trigger != nil else { return }
        let apicv = machine.vms[vm].apicv
        if watch.restsOnUnknown, apicv.initial != .unknown || apicv.state != .unknown {
            // What was not active then was not inhibited for this.
            guard apicv.initial == .active else {
                watches[vm.place] = Watch()
                watches[vm.place].reachedWhileInhibited = apicv.initial == .inhibited
                watches[vm.place].reachedWhileUnknown = apicv.initial == .unknown
                return
            }
            watches[vm.place].restsOnUnknown = false
        }
        switch (apicv.state, watch.heldSince) {
        case (.inhibited, let since?):
            watches[vm.place].held &+= stamp.time > since ? stamp.time - since : 0
            watches[vm.place].heldSince = nil
        case (.active, nil), (.unknown, nil): watches[vm.place].heldSince = stamp.time
        case (.inhibited, nil), (.active, _?), (.unknown, _?): break
        }
    }
}

extension Machine {
    /// Of all its vCPUs, whichever level.
    func exits(ofVM vm: VMIndex) -> UInt64 {
        vms[vm].vcpus.reduce(0) { sum, vcpu in
            [Level.l1, .l2, .unknown].reduce(sum) { $0 &+ vcpus[vcpu].exits.total($1) }
        }
    }

    /// Interrupts of all its vCPUs and vectors that were accepted while the same vector waited.
    func coalesced(ofVM vm: VMIndex) -> UInt64 {
        vms[vm].vcpus.reduce(0) { sum, vcpu in
            (UInt8.min...UInt8.max).reduce(sum) { $0 &+ vcpus[vcpu].ledger[$1].coalesced }
        }
    }
}
