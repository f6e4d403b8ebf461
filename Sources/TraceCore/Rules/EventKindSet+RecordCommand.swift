// SPDX-License-Identifier: Apache-2.0

extension EventKindSet {
    /// What tells a recording command from the words around it.
    static let recordProgram = "trace-cmd record"

    /// The line that records these events on a host, ready to paste; per-CPU buffers of 16 MiB keep losses away.
    ///
    /// It names events as kernels from 6.1 on do; trace-cmd refuses an event that the running kernel lacks.
    public var recordCommand: String {
        kinds.reduce("\(Self.recordProgram) -b 16384") { line, kind in
            "\(line) -e \(kind.traceSystem):\(kind.tracepoints[0])"
        }
    }
}
