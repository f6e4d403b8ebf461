// SPDX-License-Identifier: Apache-2.0

/// Ties vCPU threads to VMs where a trace names none.
///
/// Known: GUEST options and, live, processes and KVM's own pointers. Inferred otherwise: two threads with the same vCPU
/// id are two VMs; a thread that sets inhibits before any vCPU ran has created a VM (KVM_CREATE_VM sets ABSENT or
/// DISABLED, arch/x86/kvm/x86.c, 5.18 and later), and its vCPUs' threads come after it; for the rest the nearest thread
/// id decides.
struct VMGrouping: ~Copyable, Sendable {
    struct Group: Sendable {
        /// The guest's name in GUEST options.
        var key: String?
        /// The thread that created the VM, where that was seen.
        var creator: Int32?
        /// There was another one that might have been it.
        var isCreatorGuessed = false
        /// Live: the VMM's process, or the thread of it that created the VM, as KVM names it.
        var process: Int32?
        /// Live: the processes whose threads ran its vCPUs. One, but for odd VMMs.
        var runners: [Int32] = []
        /// Live: address of KVM's `struct kvm`, once a vCPU of the VM has told it.
        var kvm: UInt64?
        var members: [(tid: Int32, vcpu: Int32?)] = []
        /// A thread that ran one of its vCPUs has created another VM since: who comes now is that one's.
        var isLeft = false
        /// It runs no more, and takes nobody in.
        var hasEnded = false
    }

    private(set) var groups = Table<VMIndex, Group>()
    /// Places of VMs that ended: the next ones take them.
    private var free: [VMIndex] = []
    private var unclaimedCreators: [Int32] = []
    /// The latest VM of each creator.
    private var groupOfCreator: [Int32: VMIndex] = [:]
    /// Threads that made a VM which has not reported its address yet, and when they did.
    private var makers: [(tid: Int32, time: UInt64)] = []
    private let guests: [GuestMap]

    /// VMs that were created and have run no vCPU yet; the oldest are forgotten.
    static let capacity = 1024

    init(guests: [GuestMap]) {
        self.guests = guests
    }

    /// A group that neither a GUEST option nor its process names was put together by inference.
    func isInferred(_ group: VMIndex) -> Bool {
        groups[group].key == nil && groups[group].process == nil && !isFree(group)
    }

    private func isFree(_ group: VMIndex) -> Bool { groups[group].hasEnded && free.contains(group) }

    /// The only VM there is; nil where there are several, or more to come.
    var only: VMIndex? { groups.count == 1 && !groups[0].hasEnded && unclaimedCreators.isEmpty ? 0 : nil }

    /// The VM that a thread created or works for without being one of its vCPUs; nil while that isn't known.
    ///
    /// - Parameter process: the thread's, 0 where the source doesn't tell.
    func group(ofWorker tid: Int32, process: Int32 = 0) -> VMIndex? {
        guard process == 0 else { return group(ofProcess: process) }
        return groupOfCreator[tid]
    }

    /// The only VM of a process, by its id or by the thread that created the VM.
    func group(ofOwner owner: Int32) -> VMIndex? { group(ofProcess: owner) ?? groupOfCreator[owner] }

    private func group(ofProcess process: Int32) -> VMIndex? {
        func isOne(_ group: Group) -> Bool { group.process == process && !group.hasEnded && !group.isLeft }
        guard let first = groups.firstIndex(where: isOne), groups.indices.last(where: { isOne(groups[$0]) }) == first
        else { return nil }
        return first
    }

    /// The VMs that a process's threads ran; where no thread ran one, those that it created.
    func groups(ofProcess process: Int32) -> [VMIndex] {
        groups.indices.filter { index in
            let group = groups[index]
            return !group.hasEnded
                && (group.runners.isEmpty ? group.process == process : group.runners.contains(process))
        }
    }

    /// A thread of a process runs a vCPU of the VM.
    /// - Returns: whether it is the process's first.
    mutating func runs(_ group: VMIndex, process: Int32) -> Bool {
        guard process != 0, !groups[group].runners.contains(process), groups[group].runners.count < Self.mostRunners
        else { return false }
        groups[group].runners.append(process)
        return true
    }

    /// Processes of a VM beyond this are left out: KVM lets only those run it that share the memory of its creator.
    private static let mostRunners = 16

    /// A thread has ended: another one may have its id.
    mutating func ended(_ tid: Int32, in group: VMIndex) {
        groups[group].members.removeAll { $0.tid == tid }
    }

    /// A VM runs no more.
    mutating func close(_ group: VMIndex) {
        groups[group].hasEnded = true
        groups[group].members = []
        if let creator = groups[group].creator, groupOfCreator[creator] == group { groupOfCreator[creator] = nil }
    }

    /// The place of a VM that has ended is another one's from now on.
    mutating func vacate(_ group: VMIndex) {
        groups[group] = Group(hasEnded: true)
        free.append(group)
    }

    /// The group of a VM that KVM itself names.
    ///
    /// - Parameter presumed: where the vCPU that told it was put before.
    mutating func group(kvm: UInt64, process: Int32, presumed: VMIndex?) -> VMIndex {
        if let known = group(kvm: kvm, process: process) {
            groups[known].isLeft = false
            return known
        }
        let unnamed = presumed.flatMap { groups[$0].kvm == nil && !groups[$0].hasEnded ? $0 : nil }
        let group =
            unnamed ?? groups.firstIndex { $0.kvm == nil && $0.process == process && !$0.hasEnded }
            ?? add(Group(process: process))
        groups[group].process = process
        groups[group].kvm = kvm
        return group
    }

    /// The same, where it is known already.
    func group(kvm: UInt64, process: Int32) -> VMIndex? {
        groups.firstIndex { $0.kvm == kvm && $0.process == process && !$0.hasEnded }
    }

    /// A thread that ran a vCPU of it creates another VM.
    mutating func left(_ group: VMIndex) { groups[group].isLeft = true }

    /// A thread of a known process made a VM. Nothing has told that one's address yet.
    mutating func made(by tid: Int32, at time: UInt64) {
        makers.removeAll { $0.tid == tid }
        if makers.count == Self.capacity { makers.removeFirst() }
        makers.append((tid, time))
    }

    /// When a thread made a VM that has not reported its address yet; nil where it made none.
    func creation(by tid: Int32) -> UInt64? { makers.first { $0.tid == tid }?.time }

    /// A thread has told the address of the VM that it runs, or has ended.
    mutating func forgetCreation(by tid: Int32) { makers.removeAll { $0.tid == tid } }

    /// A thread creates a VM, perhaps not its first.
    mutating func created(by tid: Int32) {
        groupOfCreator[tid] = nil
        unclaimedCreators.removeAll { $0 == tid }
        if unclaimedCreators.count == Self.capacity { unclaimedCreators.removeFirst() }
        unclaimedCreators.append(tid)
    }

    /// Whether what the thread does is this VM's for certain: not where it created one of several VMs, and which is a guess.
    func isSure(of tid: Int32, for group: VMIndex) -> Bool {
        !groups[group].isCreatorGuessed || groups[group].creator != tid
    }

    /// A VM that was inferred to be the one which a thread created has run before that: the thread's VM is still to come.
    mutating func releaseCreator(of group: VMIndex) -> Bool {
        guard groups[group].process == nil, let creator = groups[group].creator else { return false }
        groups[group].creator = nil
        created(by: creator)
        return true
    }

    /// The group of a vCPU thread that is seen for the first time, a new one where none fits.
    mutating func join(tid: Int32, vcpu: Int32?, process: Int32 = 0) -> VMIndex {
        let group =
            process == 0
            ? known(tid) ?? fitting(tid: tid, vcpu: vcpu) ?? add(groupOfNearestCreator(below: tid))
            : group(ofProcess: process) ?? add(Group(process: process))
        groups[group].members.append((tid, vcpu))
        return group
    }

    /// A member's vCPU id has become known. Returns its group, another one where the id is taken there.
    mutating func learned(vcpu: Int32, ofThread tid: Int32, in group: VMIndex) -> VMIndex {
        let isTaken = groups[group].members.contains { $0.vcpu == vcpu && $0.tid != tid }
        groups[group].members.removeAll { $0.tid == tid }
        guard isTaken else {
            groups[group].members.append((tid, vcpu))
            return group
        }
        return join(tid: tid, vcpu: vcpu, process: groups[group].process ?? 0)
    }

    /// A new group was put together by inference because a vCPU id was taken in the older ones. The members of those
    /// that are nearer to its thread than to any other of their own were there only for want of it: returns their tids.
    mutating func claimNeighbours(of group: VMIndex) -> [Int32] {
        guard let first = groups[group].members.first, isInferred(group), groups[group].creator == nil else {
            return []
        }
        var claimed: [Int32] = []
        for other in groups.indices where other != group && groups[other].creator == nil {
            guard isInferred(other), !groups[other].hasEnded else { continue }
            let members = groups[other].members
            for member in members where !groups[group].members.contains(where: { $0.vcpu == member.vcpu }) {
                let nearest = members.map { $0.tid == member.tid ? .max : gap($0.tid, member.tid) }.min()
                guard members.count > 1, let nearest, gap(first.tid, member.tid) < nearest else { continue }
                groups[group].members.append(member)
                groups[other].members.removeAll { $0.tid == member.tid }
                claimed.append(member.tid)
            }
        }
        return claimed
    }

    private mutating func known(_ tid: Int32) -> VMIndex? {
        guard let guest = guests.first(where: { $0.threads.contains { $0.tid == tid } }) else { return nil }
        return groups.firstIndex { $0.key == guest.name && !$0.hasEnded }
            ?? add(groupOfNearestCreator(below: tid, key: guest.name))
    }

    private func fitting(tid: Int32, vcpu: Int32?) -> VMIndex? {
        let candidates = groups.indices.filter { index in
            !groups[index].hasEnded && isInferred(index)
                && !groups[index].members.contains { vcpu != nil && $0.vcpu == vcpu }
                && follows(groups[index].creator, tid)
        }
        let best = candidates.min { distance(of: $0, to: tid) < distance(of: $1, to: tid) }
        // A creator of its own, nearer than the candidate's, means another VM.
        if let best, let creator = nearestCreator(below: tid), creator > groups[best].creator ?? .min { return nil }
        return best
    }

    private func follows(_ creator: Int32?, _ tid: Int32) -> Bool {
        creator.map { $0 <= tid || wraps(from: $0, to: tid) } ?? true
    }

    private func distance(of group: VMIndex, to tid: Int32) -> Int64 {
        groups[group].members.map { gap($0.tid, tid) }.min() ?? .max
    }

    private func gap(_ left: Int32, _ right: Int32) -> Int64 { abs(Int64(left) - Int64(right)) }

    /// The creator whose id a vCPU's thread follows: the nearest below, or across the end of the ids' range, where the
    /// kernel begins anew (RESERVED_PIDS and pid_max, kernel/pid.c).
    private func nearestCreator(below tid: Int32) -> Int32? {
        unclaimedCreators.filter { $0 <= tid }.max() ?? unclaimedCreators.filter { wraps(from: $0, to: tid) }.max()
    }

    private func wraps(from creator: Int32, to tid: Int32) -> Bool {
        Self.pidLimits.contains { $0 > creator && $0 - creator <= Self.mostWrapped } && tid <= Self.mostWrapped
    }

    /// Default values of pid_max (include/linux/threads.h): of small hosts and of large ones.
    private static let pidLimits: [Int32] = [32768, 4_194_304]
    /// So many threads may have been made since the VM, the reserved ids included.
    private static let mostWrapped: Int32 = 2048

    /// A group of the creator that is nearest to its first thread, which is a guess where there are several.
    private mutating func groupOfNearestCreator(below tid: Int32, key: String? = nil) -> Group {
        var group = Group(key: key, creator: nearestCreator(below: tid))
        group.isCreatorGuessed = unclaimedCreators.count { $0 <= tid } > 1
        unclaimedCreators.removeAll { $0 == group.creator }
        return group
    }

    private mutating func add(_ group: Group) -> VMIndex {
        let index = groups.put(group, reusing: &free)
        if let creator = group.creator { groupOfCreator[creator] = index }
        return index
    }
}
