// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// A recording's events as text, as a tool would have printed them.
struct TextTwin {
    struct Layout: Equatable, CustomTestStringConvertible, Sendable {
        enum Frame: String, Sendable {
            case report, tracefs, perf
            /// What is left where an author cut off all in front of the time.
            case bare
        }

        var frame: Frame
        var words: EventPrinter.Words
        /// Behind the seconds' point.
        var digits: Int

        var testDescription: String { "\(frame) \(words) \(digits)" }

        static let report = Layout(frame: .report, words: .plugin, digits: 9)
        /// `trace-cmd report -N`.
        static let reportWithoutPlugins = Layout(frame: .report, words: .kernel, digits: 9)
        static let perf = Layout(frame: .perf, words: .plugin, digits: 9)
        static let tracefs = Layout(frame: .tracefs, words: .kernel, digits: 6)
        static let bare = Layout(frame: .bare, words: .kernel, digits: 9)

        static let all = [report, reportWithoutPlugins, perf, tracefs]
    }

    enum Item {
        case event(KVMEvent, EventStamp)
        case gap(EventGap)
    }

    let info: TraceInfo
    let items: [Item]

    struct Collector: EventSink {
        var items: [Item] = []
        var facts = 0

        mutating func take(_ item: TraceItem, at stamp: EventStamp) {
            switch item {
            case .event(let event): items.append(.event(event, stamp))
            case .lost(let gap): items.append(.gap(gap))
            case .fact: facts += 1
            }
        }
    }

    enum Obstacle: Error {
        /// What only live tracing knows has no line in any text.
        case facts
        /// A text doesn't tell where the file that it was printed from breaks off.
        case damage
        /// An event that two buffers have is there twice, and which line is of which buffer only trace-cmd tells.
        case instances
        /// Nothing is left to print.
        case empty
    }

    init(of path: String) throws {
        var file = try Recording(path: path)
        var collector = Collector()
        let totals = try file.read(into: &collector)
        guard collector.facts == 0 else { throw Obstacle.facts }
        guard totals.cut == nil, totals.unknownRecords == 0, totals.shortRecords == 0 else { throw Obstacle.damage }
        guard totals.notes.isEmpty, totals.gaps.allSatisfy({ $0.instance == 0 }) else { throw Obstacle.instances }
        guard !collector.items.isEmpty else { throw Obstacle.empty }
        info = file.info
        items = Self.inPrintedOrder(collector.items)
    }

    /// A gap is printed in front of the next event of its CPU.
    private static func inPrintedOrder(_ items: [Item]) -> [Item] {
        var waiting: [EventGap] = []
        var printed: [Item] = []
        for item in items {
            switch item {
            case .gap(let gap): waiting.append(gap)
            case .event(_, let stamp):
                let due = waiting.filter { $0.cpu == stamp.cpu && stamp.time >= $0.to ?? .max }
                waiting.removeAll { $0.cpu == stamp.cpu && stamp.time >= $0.to ?? .max }
                printed += due.map { .gap($0) } + [item]
            }
        }
        return printed + waiting.map { .gap($0) }
    }

    var hasNanoseconds: Bool { info.clock.unit == .nanoseconds }

    var events: Int { items.count }

    /// One vCPU, and no other thread that has any: without threads that is what a text can be read as.
    var isOneThread: Bool {
        var threads: Set<Int32> = []
        for case .event(_, let stamp) in items { threads.insert(stamp.tid) }
        return threads.count == 1
    }

    /// perf has clocks of nanoseconds only.
    func canBePrinted(_ layout: Layout) -> Bool { hasNanoseconds || layout.frame != .perf }

    /// What a layout holds of the items.
    func carriedItems(by layout: Layout) -> [Item] {
        let printer = EventPrinter(words: layout.words, inhibitNames: info.inhibitNames)
        return items.map { item in
            guard case .event(let event, var stamp) = item else { return item }
            if hasNanoseconds, layout.digits == 6 { stamp.time -= stamp.time % 1000 }
            return .event(printer.carried(layout.frame == .tracefs ? event : Self.withoutFlags(event)), stamp)
        }
    }

    func carried(by layout: Layout) -> [(event: KVMEvent, stamp: EventStamp)] {
        carriedItems(by: layout).compactMap { item in
            guard case .event(let event, let stamp) = item else { return nil }
            return (event, stamp)
        }
    }

    /// In which context an event happened only tracefs' flags tell.
    private static func withoutFlags(_ event: KVMEvent) -> KVMEvent {
        switch event {
        case .apicAcceptIRQ(var accept):
            accept.inHardIRQ = false
            return .apicAcceptIRQ(accept)
        case .apicvAcceptIRQ(var accept):
            accept.inHardIRQ = false
            return .apicvAcceptIRQ(accept)
        default: return event
        }
    }

    // MARK: - Lines

    func text(_ layout: Layout) -> String { lines(layout).joined(separator: "\n") + "\n" }

    func lines(_ layout: Layout) -> [String] {
        let printer = EventPrinter(words: layout.words, inhibitNames: info.inhibitNames)
        return header(layout)
            + items.map { item in
                switch item {
                case .event(let event, let stamp):
                    line(layout, stamp, name(event), printer.text(event), isHard: Self.isHard(event))
                case .gap(let gap): line(layout, gap)
                }
            }
    }

    private static func isHard(_ event: KVMEvent) -> Bool {
        switch event {
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept): accept.inHardIRQ
        default: false
        }
    }

    private func name(_ event: KVMEvent) -> String {
        if case .nestedVMEnter(let enter) = event, enter.isa == nil { return "kvm_nested_vmrun" }
        return event.kind.tracepoints[0]
    }

    private func header(_ layout: Layout) -> [String] {
        let kernel = (info.kernel ?? "").split(separator: " ")
        switch layout.frame {
        case .report: return ["cpus=\(info.cpus)"]
        case .tracefs:
            return [
                "# tracer: nop", "#",
                "# entries-in-buffer/entries-written: \(items.count)/\(items.count)   #P:\(info.cpus)",
                "#", "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION",
                "#              | |         |   |||||     |         |",
            ]
        case .perf:
            guard kernel.count > 2 else { return [] }
            return ["# ========", "# os release : \(kernel[2])", "# arch : x86_64", "# ========", "#"]
        case .bare: return []
        }
    }

    private func time(_ layout: Layout, _ time: UInt64) -> String {
        guard hasNanoseconds else { return String(time) }
        let fraction = String(1_000_000_000 + time % 1_000_000_000).dropFirst()
        return "\(time / 1_000_000_000).\(fraction.prefix(layout.digits))"
    }

    private func line(
        _ layout: Layout, _ stamp: EventStamp, _ name: String, _ text: String, isHard: Bool = false
    ) -> String {
        let head = head(layout, stamp, isHard: isHard)
        return switch layout.frame {
        case .report: "\(head)\((name + ":").left(21)) \(text)"
        case .perf: "\(head)\(("kvm:" + name).right(32)): \(text)"
        case .tracefs, .bare: "\(head)\(name): \(text)"
        }
    }

    /// What is in front of an event's name.
    private func head(_ layout: Layout, _ stamp: EventStamp, isHard: Bool = false) -> String {
        let command = (info.commands[stamp.tid] ?? "<...>").right(16)
        let (tid, cpu) = (String(stamp.tid), "[" + String(1000 + stamp.cpu).dropFirst() + "]")
        let time = time(layout, stamp.time).right(12)
        return switch layout.frame {
        case .report: "\(command)-\(tid.left(5)) \(cpu) \(time): "
        case .tracefs: "\(command)-\(tid.left(7)) \(cpu) \(isHard ? "d.h1." : "d..1.") \(time): "
        case .perf: "\(command) \(tid.right(7)) \(cpu) \(time): "
        case .bare: " \(time): "
        }
    }

    private func line(_ layout: Layout, _ gap: EventGap) -> String {
        switch layout.frame {
        case .report, .bare: return "CPU:\(gap.cpu) [\(gap.events.map { "\($0) " } ?? "")EVENTS DROPPED]"
        case .tracefs: return "CPU:\(gap.cpu) [LOST \(gap.events.map { "\($0) " } ?? "")EVENTS]"
        case .perf:
            let stamp = EventStamp(time: gap.to ?? gap.from ?? 0, cpu: gap.cpu, tid: 0)
            return head(layout, stamp) + "PERF_RECORD_LOST lost \(gap.events ?? 1)"
        }
    }
}

extension String {
    fileprivate func right(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
    fileprivate func left(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
