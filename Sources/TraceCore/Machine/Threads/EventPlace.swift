// SPDX-License-Identifier: Apache-2.0

/// Where an event belongs: the VM and vCPU that its thread works for, and whose code ran.
public struct EventPlace: Equatable, Sendable {
    /// Index of the VM in the machine; nil for a thread that can't be tied to any.
    public var vm: VMIndex?
    /// What that VM is called by: ``VirtualMachine/serial``.
    public var serial: Int?
    /// The vCPU's own id; nil for other threads and while it is not known.
    public var vcpu: Int32?
    /// Of the exit being handled; for `kvm_entry` the level that is entered.
    public var level: Level
    /// Between a `kvm_exit` and its `kvm_entry`, both left out.
    public var isInBracket: Bool

    public init(
        vm: VMIndex? = nil, serial: Int? = nil, vcpu: Int32? = nil, level: Level = .unknown, isInBracket: Bool = false
    ) {
        self.vm = vm
        self.serial = serial
        self.vcpu = vcpu
        self.level = level
        self.isInBracket = isInBracket
    }
}

extension Machine {
    /// The place of the event that the machine was shown last.
    public func place(of event: KVMEvent, at stamp: EventStamp) -> EventPlace {
        guard let thread = threads.latest(stamp) else { return EventPlace() }
        guard let vcpu = threads[thread].vcpu else { return place(inVM: worksFor(thread) ?? grouping.only) }
        var place = place(inVM: threads[thread].vm)
        place.vcpu = vcpus[vcpu].id
        switch event {
        case .entry: place.level = vcpus[vcpu].mode
        case .exit: place.level = vcpus[vcpu].actingLevel
        default:
            place.level = vcpus[vcpu].actingLevel
            place.isInBracket = vcpus[vcpu].bracket.isOpen
        }
        return place
    }

    /// The place of an event that the machine is not shown, by its thread.
    func place(ofThread stamp: EventStamp) -> EventPlace {
        guard let thread = threads.index(tid: stamp.tid) else { return place(inVM: grouping.only) }
        guard let vcpu = threads[thread].vcpu else { return place(inVM: worksFor(thread) ?? grouping.only) }
        var place = place(inVM: threads[thread].vm)
        place.vcpu = vcpus[vcpu].id
        place.level = vcpus[vcpu].actingLevel
        place.isInBracket = vcpus[vcpu].bracket.isOpen
        return place
    }

    private func place(inVM vm: VMIndex?) -> EventPlace {
        EventPlace(vm: vm, serial: vm.flatMap { vms.indices.contains($0) ? vms[$0].serial : nil })
    }

    /// Whether a VM is what the user calls by a process id: its VMM's, which need not have created it by its first thread, or any
    /// vCPU thread's.
    public func isVM(_ vm: VMIndex, of pid: Int32) -> Bool {
        process(ofVM: vm) == pid || grouping.groups[vm].runners.contains(pid)
            || vms[vm].vcpus.contains { vcpus[$0].tid == pid }
    }
}
