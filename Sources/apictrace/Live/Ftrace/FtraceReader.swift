// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What the raw pages of an instance are read by: the file reader's own cursor, counts and decoder.
struct FtraceReader {
    let layout: PageLayout
    let tally = RecordTally()
    let decoder: EventDecoder

    /// - Parameter pageSize: of the instance's buffers.
    init(_ formats: FormatCatalog, pageSize: Int) {
        layout = PageLayout(order: .little, pageSize: pageSize)
        decoder = EventDecoder(order: .little, bindings: formats.bindings.map(\.binding))
        for (index, bound) in formats.bindings.enumerated() { tally.bind(id: bound.id, to: index) }
    }
}
