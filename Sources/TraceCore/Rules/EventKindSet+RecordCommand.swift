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

extension EventKind {
    /// The directory of the tracepoint under tracefs' `events`: arch/x86/kvm/mmu/mmutrace.h is a system of its own.
    fileprivate var traceSystem: String {
        switch self {
        case .markMMIOSPTE, .handleMMIOPageFault, .mmuSetSPTE: "kvmmmu"
        default: "kvm"
        }
    }
}
