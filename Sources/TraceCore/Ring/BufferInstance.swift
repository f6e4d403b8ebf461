// SPDX-License-Identifier: Apache-2.0

/// One ring buffer of a trace: the top one, or an instance that was recorded beside it.
struct BufferInstance {
    /// One CPU's data in the file.
    struct CPU {
        var id: Int32
        var data: Range<UInt64>
        /// Where each page lies, where they aren't one behind the other; `data` then only says how many bytes they are.
        var places: [UInt64]?
    }

    /// The kernel's largest NR_CPUS.
    static let mostCPUs = 8192
    /// Buffers of one file, many more than anybody records into.
    static let mostInstances = 64

    static func tooManyCPUs(at offset: UInt64) -> TraceCut {
        TraceCut(offset: offset, expected: "at most \(mostCPUs) CPUs")
    }

    /// Empty for the top buffer.
    var name: String
    var clock: String?
    var pageSize: Int
    var isCompressed: Bool
    /// Those with data. A recording may leave CPUs out.
    var cpus: [CPU] = []

    mutating func add(cpu id: UInt32, offset: UInt64, size: UInt64) {
        guard size > 0 else { return }
        cpus.append(CPU(id: Int32(truncatingIfNeeded: id), data: offset..<offset.addingClamped(size)))
    }
}
