// SPDX-License-Identifier: Apache-2.0

/// The host threads of a trace by their id, with the last one of each CPU at hand: that is nearly always the next one.
struct ThreadTable: Sendable {
    /// What a CPU ran last: a thread is on one CPU at a time.
    private struct Running: Sendable {
        static let nothing = Running(tid: 0, thread: nil)

        var tid: Int32
        var thread: ThreadIndex?
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
        get { threads[index] }
        set { threads[index] = newValue }
    }

    /// The thread's index where its CPU has run no other since.
    @inline(__always)
    func stillRunning(_ stamp: EventStamp) -> ThreadIndex? {
        let cpu = Int(stamp.cpu)
        guard UInt(bitPattern: cpu) < UInt(bitPattern: running.count), running[cpu].tid == stamp.tid else { return nil }
        return running[cpu].thread
    }

    func index(tid: Int32) -> ThreadIndex? { indices[tid] }

    /// The thread of the event that the table was asked for last.
    func latest(_ stamp: EventStamp) -> ThreadIndex? {
        stillRunning(stamp) ?? indices[stamp.tid]
    }

    mutating func setVCPU(_ vcpu: VCPUIndex?, vm: VMIndex?, ofThread index: ThreadIndex) {
        threads[index].vcpu = vcpu
        threads[index].vm = vm
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
            threads[index].vcpu = nil
            threads[index].vm = nil
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
            running[cpu] = Running(tid: stamp.tid, thread: index)
        }
        return (index, left != stamp.cpu)
    }
}

/// A host thread that emitted events, and what it turned out to be.
struct HostThread: Sendable {
    let tid: Int32
    /// The vCPU that it runs; nil for a thread that has run none.
    var vcpu: VCPUIndex?
    /// The VM that it works for; nil while unknown.
    var vm: VMIndex?
    /// Its process, 0 where the source doesn't tell.
    var process: Int32 = 0
    /// Where it was seen last, -1 where it was only told of.
    var lastCPU: Int32
}
