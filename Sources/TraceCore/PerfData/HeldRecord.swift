// SPDX-License-Identifier: Apache-2.0

/// A record that is to be told in its turn: this head, and behind it what is needed of the record.
struct HeldRecord {
    /// What it is, where it is no event.
    enum Kind: Int16 {
        /// Events were lost: a ``HeldGap`` follows.
        case gap = -1
        /// The thread has this name: a ``Comm`` follows.
        case comm = -2
        /// The thread was started by another one, which `extra` is.
        case fork = -3
        case exit = -4
    }

    static let headSize = MemoryLayout<HeldRecord>.stride
    /// Bytes of a record's own at most, so that all of it has a size of 16 bits.
    static let largestBody = 65_000

    /// Never the last one that there could be.
    let time: UInt64
    /// Of it all, in bytes; a multiple of eight.
    let size: UInt16
    /// Of an event its ``SamplePlan/entry``, else a ``Kind``.
    let entry: Int16
    let cpu: Int32
    /// Of an event its process, else its thread.
    let owner: Int32
    /// Of an event the bytes of its raw record.
    let extra: Int32

    init(time: UInt64, body: Int, entry: Int16, cpu: Int32, owner: Int32, extra: Int32) {
        self.time = min(time, .max - 1)
        size = UInt16(truncatingIfNeeded: (Self.headSize &+ body &+ 7) & ~7)
        self.entry = entry
        self.cpu = cpu
        self.owner = owner
        self.extra = extra
    }

    init(_ kind: Kind, time: UInt64, body: Int = 0, cpu: Int32 = 0, thread: Int32 = 0, extra: Int32 = 0) {
        self.init(time: time, body: body, entry: kind.rawValue, cpu: cpu, owner: thread, extra: extra)
    }
}

/// A gap in what a CPU told: it begins with the CPU's event before it.
struct HeldGap {
    /// When it was told of; nil where that is not known.
    var to: UInt64?
    var events: UInt64?
}
