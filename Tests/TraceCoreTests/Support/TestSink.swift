// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// Keeps what it is reported, one line an event or gap.
struct TestSink: EventSink {
    private(set) var lines: [String] = []
    private(set) var events = 0

    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event(let event): add(event, stamp)
        case .lost(let gap): lost(gap)
        case .fact: break
        }
    }

    private mutating func add(_ event: KVMEvent, _ stamp: EventStamp) {
        events += 1
        let what =
            switch event {
            case .eoi(let eoi): "eoi \(eoi.vector)"
            default: "\(event)"
            }
        lines.append("\(stamp.time) cpu\(stamp.cpu) \(what)")
    }

    private mutating func lost(_ gap: EventGap) {
        let ends = [gap.from, gap.to].map { $0.map(String.init) ?? "?" }
        let whose = gap.process.map { " process \($0)" } ?? ""
        lines.append("lost \(gap.events.map(String.init) ?? "?") cpu\(gap.cpu) \(ends[0])-\(ends[1])\(whose)")
    }
}
