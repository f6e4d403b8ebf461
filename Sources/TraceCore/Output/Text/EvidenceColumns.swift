// SPDX-License-Identifier: Apache-2.0

/// The columns in front of the evidence's text, as wide as the evidence needs.
struct EvidenceColumns {
    private let times: TimeText
    private let widths: [Int]

    init(_ evidence: some Sequence<Report.Evidence>, times: TimeText) {
        self.times = times
        widths = evidence.reduce(into: [0, 0, 0, 0]) { widths, event in
            for (column, cell) in Self.cells(event, times).enumerated() {
                widths[column] = max(widths[column], cell.count)
            }
        }
    }

    var width: Int { widths.reduce(0) { $0 + $1 + 2 } }

    func lead(_ event: Report.Evidence) -> String {
        let cells = Self.cells(event, times)
        return zip(cells, widths).enumerated().map { column, cell in
            let padding = String(repeating: " ", count: cell.1 - cell.0.count)
            return column == 3 ? cell.0 + padding : padding + cell.0
        }.joined(separator: "  ")
    }

    private static func cells(_ event: Report.Evidence, _ times: TimeText) -> [String] {
        [times.sinceBegin(event.time), times.absolute(event.time), event.tid.map(String.init) ?? "-", event.event]
    }
}
