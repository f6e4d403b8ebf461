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
        /// While the policy's bit alone is set: interrupts that L1's APIC accepted, those of them that were merged with one that waited,
        /// those that hardware may deliver without an exit, and those that ended with an event.
        fileprivate(set) var accepted: UInt64 = 0
        fileprivate(set) var coalesced: UInt64 = 0
        fileprivate(set) var posted: UInt64 = 0
        fileprivate(set) var ended: UInt64 = 0
        /// Accepted and not ended so far.
        fileprivate var open: [Interrupt: UInt64] = [:]
        /// Since when the policy's bit alone is set, with the VM's exits until then; for how long it was before, and the exits of that.
        fileprivate var since: (time: UInt64, exits: UInt64)?
        fileprivate var held: (time: UInt64, exits: UInt64) = (0, 0)

        /// How long the policy's bit alone kept APICv inhibited, in the clock's unit, and how many exits there were meanwhile.
        func held(until end: UInt64, exits: UInt64) -> (time: UInt64, exits: UInt64) {
            guard let since else { return held }
            let (time, more) = (end > since.time ? end - since.time : 0, exits > since.exits ? exits - since.exits : 0)
            return (held.time &+ time, held.exits &+ more)
        }
    }

    fileprivate struct Interrupt: Hashable {
        var vcpu: VCPUIndex
        var vector: UInt8
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
        case .accepted(let vector, _, let silent):
            guard watch(of: vm).since != nil else { return }
            accepted(vector, silent: silent, vcpu, at: stamp, machine)
        case .ended(let vector, _):
            let interrupt = Interrupt(vcpu: vcpu, vector: vector)
            guard let open = watch(of: vm).open[interrupt] else { return }
            watches[vm.place].open[interrupt] = open > 1 ? open - 1 : nil
            watches[vm.place].ended &+= 1
        case .inhibitsChanged: changed(vm, at: stamp, machine)
        default: break
        }
    }

    /// The places of a VM that ended are another's.
    mutating func forget(_ vm: VMIndex) {
        if vm.place < watches.count { watches[vm.place] = Watch() }
    }

    private mutating func accepted(
        _ vector: UInt8, silent: Bool, _ vcpu: VCPUIndex, at stamp: EventStamp, _ machine: borrowing Machine
    ) {
        let vm = machine.vcpus[vcpu].vm
        watches[vm.place].accepted &+= 1
        // The ledger has it already: one that waits since earlier has taken it in.
        if let pending = machine.vcpus[vcpu].ledger[vector].pending, pending.since != stamp {
            watches[vm.place].coalesced &+= 1
            return
        }
        if silent { watches[vm.place].posted &+= 1 }
        watches[vm.place].open[Interrupt(vcpu: vcpu, vector: vector), default: 0] &+= 1
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
                text: Self.words(event, isLate)),
            vcpu: vcpu, isLate: isLate)
        watches[vm.place].restsOnUnknown = apicv.state == .unknown
        watches[vm.place].since = (stamp.time, machine.exits(ofVM: vm))
    }

    private static func words(_ event: EventKind, _ isLate: Bool) -> String {
        if event == .apicIPI {
            return "sent while EPT_MISCONFIG was handled: L2's write, on a page that faulted before"
        }
        return isLate ? "L2's access to L1's APIC page is emulated: it faulted before" : "L2 faults on L1's APIC page"
    }

    private mutating func make(_ vm: VMIndex) {
        while watches.count <= vm.place { watches.append(Watch()) }
    }

    /// The time that is asked for begins: what was inhibited before still is, and nothing is counted yet.
    mutating func begin(at time: UInt64) {
        for vm in watches.indices {
            var watch = Watch()
            watch.trigger = watches[vm].trigger
            watch.restsOnUnknown = watches[vm].restsOnUnknown
            watch.since = watches[vm].since.map { _ in (time, 0) }
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
        let exits = machine.exits(ofVM: vm)
        if apicv.state == .inhibited {
            watches[vm.place].held = watch.held(until: stamp.time, exits: exits)
            watches[vm.place].since = nil
        } else if watch.since == nil {
            watches[vm.place].since = (stamp.time, exits)
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
}
