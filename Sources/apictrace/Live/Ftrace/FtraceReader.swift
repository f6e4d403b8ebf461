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

/// The machine's tracepoints as an instance has them: enabled one by one, with their formats.
struct FtraceEvents {
    private(set) var formats = FormatCatalog()
    /// The `enable` files, in order.
    private let switches: [String]

    /// Reads the formats; nothing is enabled yet.
    init(_ instance: borrowing FtraceInstance) {
        var switches: [String] = []
        for kind in EventKind.allCases {
            for name in kind.tracepoints {
                let directory = "events/\(kind.traceSystem)/\(name)"
                guard let format = instance.text(directory + "/format") else { continue }
                formats.add(Array(format.utf8), system: kind.traceSystem)
                switches.append(directory + "/enable")
            }
        }
        self.switches = switches
    }

    func enable(in instance: borrowing FtraceInstance) throws(BPFError) {
        for file in switches { try instance.write("1", to: file) }
    }
}
