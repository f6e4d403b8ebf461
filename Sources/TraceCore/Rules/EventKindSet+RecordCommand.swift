// SPDX-License-Identifier: Apache-2.0

extension EventKindSet {
    /// The line that records these events on a host, ready to paste; per-CPU buffers of 16 MiB keep losses away.
    ///
    /// It names events as kernels from 6.1 on do; trace-cmd refuses an event that the running kernel lacks.
    public var recordCommand: String {
        recordNames.reduce("trace-cmd record -b 16384") { line, name in "\(line) -e \(name)" }
    }

    /// `kvm:kvm_eoi`, as trace-cmd and perf take them.
    var recordNames: [String] { kinds.map { "\($0.traceSystem):\($0.tracepoints[0])" } }

    /// `kvm_eoi, kvm_inj_virq`.
    var names: String { kinds.map { $0.tracepoints[0] }.joined(separator: ", ") }
}
