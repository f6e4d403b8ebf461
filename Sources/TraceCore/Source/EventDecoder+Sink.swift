// SPDX-License-Identifier: Apache-2.0

extension EventDecoder {
    /// Tells the event of a little-endian record that is long enough for its binding, by the sink's fast ways where there is one.
    @inline(__always)
    static func tell<S: EventSink & ~Copyable>(
        _ record: Record, _ binding: UnsafePointer<EventBinding>, at stamp: EventStamp, to sink: inout S
    ) {
        switch binding.pointee.kind {
        case .entry: sink.entry(entry(record, binding), at: stamp)
        case .exit: sink.exit(exit(record, binding), at: stamp)
        case .nestedVMExit: sink.nestedVMExit(exit(record, binding), at: stamp)
        default: sink.event(decode(record, binding), at: stamp)
        }
    }
}
