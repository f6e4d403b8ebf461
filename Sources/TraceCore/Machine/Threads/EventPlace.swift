// SPDX-License-Identifier: Apache-2.0

/// Where an event belongs: the VM and vCPU that its thread works for, and whose code ran.
public struct EventPlace: Equatable, Sendable {
    /// Index of the VM in the machine; nil for a thread that can't be tied to any.
    public var vm: Int?
    /// The vCPU's own id; nil for other threads and while it is not known.
    public var vcpu: Int32?
    /// Of the exit being handled; for `kvm_entry` the level that is entered.
    public var level: Level
    /// Between a `kvm_exit` and its `kvm_entry`, both left out.
    public var isInBracket: Bool

    public init(vm: Int? = nil, vcpu: Int32? = nil, level: Level = .unknown, isInBracket: Bool = false) {
        self.vm = vm
        self.vcpu = vcpu
        self.level = level
        self.isInBracket = isInBracket
    }
}

extension Machine {
    /// The place of the event that the machine was shown last.
    public func place(of event: KVMEvent, at stamp: EventStamp) -> EventPlace {
        guard let thread = threads.latest(stamp) else { return EventPlace() }
        let vcpu = threads[thread].vcpu
        guard vcpu >= 0 else { return EventPlace(vm: worksFor(thread) ?? grouping.only) }
        var place = EventPlace(vm: threads[thread].vm, vcpu: vcpus[vcpu].id)
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
        guard let thread = threads.index(tid: stamp.tid) else { return EventPlace(vm: grouping.only) }
        let vcpu = threads[thread].vcpu
        guard vcpu >= 0 else { return EventPlace(vm: worksFor(thread) ?? grouping.only) }
        return EventPlace(
            vm: threads[thread].vm, vcpu: vcpus[vcpu].id, level: vcpus[vcpu].actingLevel,
            isInBracket: vcpus[vcpu].bracket.isOpen)
    }

    /// Whether a VM is what the user calls by a process id: its VMM's, or any vCPU thread's.
    func isVM(_ vm: Int, of pid: Int32) -> Bool {
        process(ofVM: vm) == pid || vms[vm].vcpus.contains { vcpus[$0].tid == pid }
    }
}
