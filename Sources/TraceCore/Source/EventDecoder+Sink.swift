// SPDX-License-Identifier: Apache-2.0

extension EventDecoder {
    /// Tells the event of a record, by the sink's fast ways where there is one.
    /// - Returns: false where the record is no event of the decoder's, or is shorter than its format says.
    @inline(__always)
    func tell<S: EventSink & ~Copyable>(
        _ record: Record, binding: Int, at stamp: EventStamp, to sink: inout S
    ) -> Bool {
        guard fits(record, binding: binding) else { return false }
        let bound = bindings[binding]
        guard order == .little else {
            sink.take(.event(decode(record, binding: binding)), at: stamp)
            return true
        }
        switch bound.kind {
        case .entry: sink.entry(entry(record, bound), at: stamp)
        case .exit: sink.exit(exit(record, bound), at: stamp)
        case .nestedVMExit: sink.nestedVMExit(exit(record, bound), at: stamp)
        default: sink.event(decode(record, binding: binding), at: stamp)
        }
        return true
    }
}
