// SPDX-License-Identifier: Apache-2.0

/// The host threads of a trace by their id, with the last one of each CPU at hand: that is nearly always the next one.
struct ThreadTable: ~Copyable, Sendable {
    /// What a CPU ran last: a thread is on one CPU at a time.
    private struct Running: Sendable {
        static let nothing = Running(tid: 0, id: 0, thread: nil, vcpu: nil)

        let tid: Int32
        /// Of the vCPU that the thread runs.
        let id: Int32
        // -1 for none, so that all of it is 16 bytes.
        private let threadPlace: Int32
        private let vcpuPlace: Int32

        init(tid: Int32, id: Int32, thread: ThreadIndex?, vcpu: VCPUIndex?) {
            self.tid = tid
            self.id = id
            threadPlace = thread.map { Int32($0.place) } ?? -1
            vcpuPlace = vcpu.map { Int32($0.place) } ?? -1
        }

        @inline(__always)
        var thread: ThreadIndex? { threadPlace < 0 ? nil : ThreadIndex(Int(threadPlace)) }
        /// That vCPU; nil for none, and for one whose id isn't known.
        @inline(__always)
        var vcpu: VCPUIndex? { vcpuPlace < 0 ? nil : VCPUIndex(Int(vcpuPlace)) }
    }

    private(set) var threads = Table<ThreadIndex, HostThread>()
    /// Rows of threads that have ended: the next new ones take them.
    private var free: [ThreadIndex] = []
    private var indices: [Int32: ThreadIndex] = [:]
    private var running: [Running] = []

    /// CPUs beyond this share the dictionary; the kernel's own limit is 8192.
    static let cachedCPUs = 8192
    /// Threads beyond this make those forgotten that run no vCPU: in the long run an interrupt hits every thread of a host, and KVM's
    /// events may come from it. Where all run one, more are left out: no host has so many.
    static let capacity = 1 << 16

    subscript(index: ThreadIndex) -> HostThread {
        _read { yield threads[index] }
    }

    /// The thread's index where its CPU has run no other since.
    @inline(__always)
    func stillRunning(_ stamp: EventStamp) -> ThreadIndex? {
        let cpu = Int(stamp.cpu)
        guard UInt(bitPattern: cpu) < UInt(bitPattern: running.count), running[cpu].tid == stamp.tid else { return nil }
        return running[cpu].thread
    }

    /// The vCPU that an event names, where its thread runs that and its CPU has run no other thread since.
    @inline(__always)
    func stillRunning(_ stamp: EventStamp, id: Int32?) -> VCPUIndex? {
        let cpu = Int(stamp.cpu)
        guard UInt(bitPattern: cpu) < UInt(bitPattern: running.count), running[cpu].tid == stamp.tid,
            id == nil || running[cpu].id == id
        else { return nil }
        return running[cpu].vcpu
    }

    func index(tid: Int32) -> ThreadIndex? { indices[tid] }

    /// The thread of the event that the table was asked for last.
    func latest(_ stamp: EventStamp) -> ThreadIndex? {
        stillRunning(stamp) ?? indices[stamp.tid]
    }

    /// - Parameter id: the vCPU's, nil where it isn't known.
    mutating func setVCPU(_ vcpu: VCPUIndex?, id: Int32?, vm: VMIndex?, ofThread index: ThreadIndex) {
        threads[index].vcpu = vcpu
        threads[index].id = id
        threads[index].vm = vm
        let cpu = Int(threads[index].lastCPU)
        if running.indices.contains(cpu), running[cpu].thread == index { running[cpu] = running(index) }
    }

    private func running(_ index: ThreadIndex) -> Running {
        let (id, vcpu) = (threads[index].id, threads[index].vcpu)
        return Running(tid: threads[index].tid, id: id ?? 0, thread: index, vcpu: id == nil ? nil : vcpu)
    }

    mutating func setVM(_ vm: VMIndex, ofThread index: ThreadIndex) {
        threads[index].vm = vm
    }

    /// The thread belongs to a process, perhaps another one than before: thread ids are used again.
    mutating func setProcess(_ process: Int32, ofThread tid: Int32) {
        let index: ThreadIndex
        if let known = indices[tid] {
            index = known
        } else {
            guard let new = add(HostThread(tid: tid, lastCPU: -1)) else { return }
            index = new
        }
        threads[index].process = process
    }

    /// The thread has ended: another one may have its id.
    mutating func remove(tid: Int32) {
        if let index = indices[tid] { remove(index) }
    }

    /// A process has ended, and all of its threads.
    mutating func remove(ofProcess process: Int32) {
        for (tid, index) in indices where threads[index].process == process || tid == process { remove(index) }
    }

    /// A VM runs no more: whatever its threads do now is another's.
    mutating func leave(vm: VMIndex) {
        for index in threads.indices where threads[index].vm == vm {
            setVCPU(nil, id: nil, vm: nil, ofThread: index)
        }
    }

    private mutating func remove(_ index: ThreadIndex) {
        for cpu in running.indices where running[cpu].thread == index { running[cpu] = .nothing }
        indices[threads[index].tid] = nil
        threads[index] = HostThread(tid: 0, lastCPU: -1)
        free.append(index)
    }

    private mutating func add(_ thread: HostThread) -> ThreadIndex? {
        if free.isEmpty, threads.count == Self.capacity {
            for index in threads.indices where threads[index].vcpu == nil { remove(index) }
        }
        guard !free.isEmpty || threads.count < Self.capacity else { return nil }
        let index = threads.put(thread, reusing: &free)
        indices[thread.tid] = index
        return index
    }

    /// The thread that comes to a CPU, new where it has emitted nothing before: its index, nil where the table is full, and
    /// whether it was on another CPU.
    mutating func switchThread(at stamp: EventStamp) -> (thread: ThreadIndex?, hasMoved: Bool) {
        let index: ThreadIndex
        if let known = indices[stamp.tid] {
            index = known
        } else {
            guard let new = add(HostThread(tid: stamp.tid, lastCPU: stamp.cpu)) else { return (nil, false) }
            index = new
        }
        let left = threads[index].lastCPU
        threads[index].lastCPU = stamp.cpu
        if running.indices.contains(Int(left)), running[Int(left)].thread == index {
            running[Int(left)] = .nothing
        }
        let cpu = Int(stamp.cpu)
        if (0..<Self.cachedCPUs).contains(cpu) {
            while running.count <= cpu { running.append(.nothing) }
            running[cpu] = running(index)
        }
        return (index, left != stamp.cpu)
    }
}

/// A host thread that emitted events, and what it turned out to be.
struct HostThread: Sendable {
    let tid: Int32
    /// The vCPU that it runs; nil for a thread that has run none.
    var vcpu: VCPUIndex?
    /// That vCPU's id, nil while it isn't known.
    var id: Int32?
    /// The VM that it works for; nil while unknown.
    var vm: VMIndex?
    /// Its process, 0 where the source doesn't tell.
    var process: Int32 = 0
    /// Where it was seen last, -1 where it was only told of.
    var lastCPU: Int32
}
