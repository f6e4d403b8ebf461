// SPDX-License-Identifier: Apache-2.0

/// Something that only live tracing knows. A recording of live tracing holds it too, so that it is graded as it was live.
public enum LiveFact: Equatable, Sendable {
    case state(VCPUState)
    case lapic(LAPICReading)
    /// The stamp's thread belongs to this process: told before the thread's first event, and perhaps again.
    case process(Int32)
    /// The stamp's thread, which ran a vCPU, has ended; or the last one of this process, whose VMs run no more: 0 where others
    /// of its threads go on.
    case ended(process: Int32)
    /// The stamp's thread, most often a process's first, has this name.
    case command(Comm)
    /// Everything up to the stamp's time has been reported: a vCPU that sleeps emits nothing.
    case tick
    /// Exits of the stamp's thread, whose vCPU has never run L2, which were counted in the kernel and not reported one by one. Reported
    /// before the thread runs another vCPU or ends, and at the end.
    case exits(ExitReason, count: UInt64)
}

/// A thread's name as the kernel keeps it: TASK_COMM_LEN bytes, of which the last is NUL (include/linux/sched.h).
public struct Comm: Equatable, Sendable {
    static let length = 16

    private var bytes: (UInt64, UInt64) = (0, 0)

    /// What doesn't fit is left out.
    public init(_ text: some Sequence<UInt8>) {
        withUnsafeMutableBytes(of: &bytes) { bytes in
            for (index, byte) in text.prefix(Self.length - 1).prefix(while: { $0 != 0 }).enumerated() {
                bytes[index] = byte
            }
        }
    }

    public init(_ text: String) {
        self.init(text.utf8)
    }

    public var text: String {
        withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    public static func == (left: Comm, right: Comm) -> Bool { left.bytes == right.bytes }
}
