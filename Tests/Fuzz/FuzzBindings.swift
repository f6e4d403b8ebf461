// SPDX-License-Identifier: Apache-2.0
#if DEBUG
    @testable import TraceCore

    /// A binding for each kind of event, all fields eight bytes wide and signed, bound to the ids from 0 on.
    enum FuzzBindings {
        static let all = EventKind.allCases.compactMap { kind in
            let fields = kind.tracepoint.fields.enumerated().map { index, field in
                "\tfield:s64 \(field.names[0]);\toffset:\(8 + 8 * index);\tsize:8;\tsigned:1;\n"
            }
            let text = "name: \(kind.tracepoints[0])\nID: \(kind.rawValue)\nformat:\n" + fields.joined()
            return EventFormat(text: text).flatMap { EventBinding($0) }
        }

        nonisolated(unsafe) static let tally: RecordTally = {
            let tally = RecordTally()
            for index in all.indices { tally.bind(id: UInt16(index), to: index) }
            return tally
        }()
    }
#endif
