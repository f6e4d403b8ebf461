// SPDX-License-Identifier: Apache-2.0

/// The host threads of a trace by their id, with the last one of each CPU at hand: that is nearly always the next one.
struct ThreadTable: Sendable {
    private(set) var threads: [HostThread] = []
    private var indices: [Int32: Int] = [:]
    private var lastOnCPU: [Int] = []

    /// CPUs beyond this share the dictionary; the kernel's own limit is 8192.
    static let cachedCPUs = 8192
    /// Threads beyond this are left out: no host has so many that emit events of KVM.
    static let capacity = 1 << 18

    subscript(index: Int) -> HostThread {
        get { threads[index] }
        set { threads[index] = newValue }
    }

    /// The thread's index, -1 where the table is full.
    @inline(__always)
    mutating func index(of stamp: EventStamp) -> Int {
        let cpu = Int(stamp.cpu)
        if lastOnCPU.indices.contains(cpu) {
            let last = lastOnCPU[cpu]
            if last >= 0, threads[last].tid == stamp.tid { return last }
        }
        return lookUp(stamp)
    }

    func index(tid: Int32) -> Int? { indices[tid] }

    /// The thread of the event that the table was asked for last.
    func latest(_ stamp: EventStamp) -> Int? {
        let cpu = Int(stamp.cpu)
        guard lastOnCPU.indices.contains(cpu) else { return indices[stamp.tid] }
        return lastOnCPU[cpu] >= 0 ? lastOnCPU[cpu] : nil
    }

    mutating func setVCPU(_ vcpu: Int, vm: Int, ofThread index: Int) {
        threads[index].vcpu = vcpu
        threads[index].vm = vm
    }

    mutating func setVM(_ vm: Int, ofThread index: Int) {
        threads[index].vm = vm
    }

    /// The thread belongs to a process, perhaps another one than before: thread ids are used again.
    mutating func setProcess(_ process: Int32, ofThread tid: Int32) {
        let index: Int
        if let known = indices[tid] {
            index = known
        } else {
            guard threads.count < Self.capacity else { return }
            index = threads.count
            threads.append(HostThread(tid: tid, lastCPU: -1, lastTime: 0))
            indices[tid] = index
        }
        threads[index].process = process
    }

    /// Notes where the thread runs. Returns the time of its previous event where it came from another CPU.
    @inline(__always)
    mutating func ran(_ index: Int, at stamp: EventStamp) -> UInt64? {
        threads[index].ran(at: stamp)
    }

    private mutating func lookUp(_ stamp: EventStamp) -> Int {
        let index: Int
        if let known = indices[stamp.tid] {
            index = known
        } else if threads.count == Self.capacity {
            return -1
        } else {
            index = threads.count
            threads.append(HostThread(tid: stamp.tid, lastCPU: stamp.cpu, lastTime: stamp.time))
            indices[stamp.tid] = index
        }
        let cpu = Int(stamp.cpu)
        if (0..<Self.cachedCPUs).contains(cpu) {
            while lastOnCPU.count <= cpu { lastOnCPU.append(-1) }
            lastOnCPU[cpu] = index
        }
        return index
    }
}
