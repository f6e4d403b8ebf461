// SPDX-License-Identifier: Apache-2.0
import TraceCore

extension TraceInfo {
    /// What live tracing says of itself: the kernel answers for what a file's formats would.
    init(_ host: HostFacts, _ types: borrowing KernelTypes, kinds: EventKindSet) {
        self.init(
            format: Self.live + "BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: host.cpus)
        kernel = host.kernel
        var names: [String] = []
        for name in kinds.kinds.flatMap(\.tracepoints) where types.argumentCount(ofTracepoint: name) != nil {
            names.append(name)
        }
        eventsSelected = names.sorted()
        recordedKinds = kinds
        for field in KernelTypes.laterFields where types.hasField(field) { formatFields.insert(field) }
        inhibitNames = types.inhibitNames
        isa = host.isa
        sviFix = FixState(types)
    }
}
