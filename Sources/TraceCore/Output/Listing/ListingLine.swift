// SPDX-License-Identifier: Apache-2.0

/// One line of a listing: time, CPU, thread, VM and vCPU, level, tracepoint, fields. See ListingLine+JSON.swift for JSON.
///
/// Noncopyable: a copy of it counts the owners of all its tables, which took a tenth of the time of a line.
struct ListingLine: ~Copyable, Sendable {
    let text: EventText
    let brackets: Bool
    private let printsSeconds: Bool
    private let options: ListingOptions
    /// Columns of a second's fraction.
    private let digits: Int
    /// Of the line before.
    private var previous: UInt64?
    private var commands: CommandColumn
    /// Time that JSON's times count from, as the report's do.
    var base: UInt64 = 0

    /// Room that no line outgrows: at most 64 names of an inhibit mask, and two dozen numbers and names with their keys.
    static let longest = 72 * NameTables.longest + 24 * 128

    init(_ options: ListingOptions, clock: TraceClock, names: NameTables, commands: [Int32: String]) {
        self.options = options
        digits = options.showsNanoseconds ? 9 : 6
        self.commands = CommandColumn(commands)
        text = EventText(form: options.json ? .json : .text, names: names)
        brackets = options.brackets
        printsSeconds = clock.isPrintedInSeconds
    }

    @inline(__always)
    mutating func add(_ event: KVMEvent, _ stamp: EventStamp, _ place: EventPlace, to block: inout [UInt8]) {
        let difference = difference(to: stamp.time)
        block.append(addingCapacity: Self.longest) { out in
            if text.form == .text {
                addText(event, stamp, place, difference, to: &out)
            } else {
                addJSON(event, stamp, place, to: &out)
            }
        }
    }

    /// Names of the columns.
    func addHeader(to block: inout [UInt8]) {
        guard text.form == .text, options.hasHeader else { return }
        let wide = printsSeconds && options.showsNanoseconds ? 3 : 0
        let time = String(repeating: " ", count: 7 + wide) + "time"
        let difference = options.showsDifferences ? " +" + "since".padded(to: printsSeconds ? 2 + digits : 5) : ""
        let command = commands.isEmpty ? "" : "command".padded(to: NameTables.commandColumns) + " "
        block += "#\(time)\(difference)  CPU  \(command) thread VM/vCPU level event: fields\n".utf8
    }

    /// What stands before the event's name in the line of one that the machine has no use for.
    mutating func add(placeOf stamp: EventStamp, _ place: EventPlace, to block: inout [UInt8]) {
        let difference = difference(to: stamp.time)
        block.append(addingCapacity: Self.longest) { out in
            if text.form == .json { return addJSONPlace(stamp, place, to: &out) }
            lead(time: stamp.time, cpu: stamp.cpu, difference, &out)
            columns(stamp.tid, place, &out)
            if brackets { out.add(blanks: place.isInBracket ? 4 : 2) }
        }
    }

    private mutating func difference(to time: UInt64) -> UInt64? {
        guard options.showsDifferences else { return nil }
        defer { previous = time }
        return previous.map { time > $0 ? time - $0 : 0 }
    }

    /// A gap, where it begins.
    func add(_ gap: EventGap, to block: inout [UInt8]) {
        block.append(addingCapacity: Self.longest) { out in
            if text.form == .text { addText(gap, to: &out) } else { addJSON(gap, to: &out) }
        }
    }

    /// What JSON's times count from; text has them absolute.
    func addBase(to block: inout [UInt8]) {
        guard text.form == .json else { return }
        block.append(addingCapacity: Self.longest) { addJSONBase(to: &$0) }
    }

    @inline(__always)
    private mutating func addText(
        _ event: KVMEvent, _ stamp: EventStamp, _ place: EventPlace, _ difference: UInt64?,
        to out: inout OutputSpan<UInt8>
    ) {
        lead(time: stamp.time, cpu: stamp.cpu, difference, &out)
        columns(stamp.tid, place, &out)
        if brackets { brace(event, place, &out) }
        out.add(text.names.tracepointColumns[Int(event.kind.rawValue)])
        event.tell(text, &out)
        out.append(UInt8(ascii: "\n"))
    }

    private func addText(_ gap: EventGap, to out: inout OutputSpan<UInt8>) {
        lead(time: gap.from ?? gap.to ?? base, cpu: gap.cpu, nil, &out)
        out.add("lost ")
        if let events = gap.events {
            out.add(decimal: events)
        } else {
            out.add("an unknown number of")
        }
        out.add(" events")
        if let process = gap.process {
            out.add(" of process ")
            out.add(decimal: Int64(process))
        }
        if let to = gap.to {
            out.add(" until ")
            time(to, &out)
        } else {
            out.add(gap.process == nil ? ", all that follow on this CPU" : ", all that follow")
        }
        out.append(UInt8(ascii: "\n"))
    }

    /// `   72.372469 [000] `: trace-cmd's words, so that its listing and this one can be held side by side.
    private func lead(time: UInt64, cpu: Int32, _ difference: UInt64?, _ out: inout OutputSpan<UInt8>) {
        self.time(time, secondsWidth: 5, &out)
        if options.showsDifferences {
            out.add(" +")
            self.time(difference ?? 0, &out)
        }
        out.add(" [")
        if cpu >= 0 {
            out.add(decimal: UInt64(cpu), width: 3, padding: UInt8(ascii: "0"))
        } else {
            out.add("  -")
        }
        out.add("] ")
    }

    private func time(_ time: UInt64, secondsWidth: Int = 1, _ out: inout OutputSpan<UInt8>) {
        guard printsSeconds else { return out.add(decimal: time, width: secondsWidth + 7) }
        let unit: UInt64 = options.showsNanoseconds ? 1_000_000_000 : 1_000_000
        let units = options.showsNanoseconds ? time : time / 1000 + (time % 1000 >= 500 ? 1 : 0)
        out.add(decimal: units / unit, width: secondsWidth)
        out.append(UInt8(ascii: "."))
        out.add(decimal: units % unit, width: digits, padding: UInt8(ascii: "0"))
    }

    private mutating func columns(_ tid: Int32, _ place: EventPlace, _ out: inout OutputSpan<UInt8>) {
        if !commands.isEmpty {
            commands.add(tid, to: &out)
            out.append(UInt8(ascii: " "))
        }
        if tid >= 0 {
            out.add(decimal: Int64(tid), width: 7)
        } else {
            out.add("      -")
        }
        out.append(UInt8(ascii: " "))
        let start = out.count
        number(place.serial.map(Int64.init), &out)
        out.append(UInt8(ascii: "/"))
        number(place.vcpu.map(Int64.init), &out)
        out.add(blanks: 7 - (out.count - start))
        switch place.level {
        case .l1: out.add("L1 ")
        case .l2: out.add("L2 ")
        case .unknown: out.add("-  ")
        }
    }

    private func number(_ value: Int64?, _ out: inout OutputSpan<UInt8>) {
        if let value { out.add(decimal: value) } else { out.append(UInt8(ascii: "-")) }
    }

    private func brace(_ event: KVMEvent, _ place: EventPlace, _ out: inout OutputSpan<UInt8>) {
        switch event {
        case .exit: out.add("{ ")
        case .entry: out.add("} ")
        default: out.add(blanks: place.isInBracket ? 4 : 2)
        }
    }
}

extension String {
    fileprivate func padded(to columns: Int) -> String {
        self + String(repeating: " ", count: max(0, columns - count))
    }
}

/// Lines of JSON: integers and hex strings as in the report, null for what isn't known.
extension ListingLine {
    /// What the other lines' times count from.
    func addJSONBase(to out: inout OutputSpan<UInt8>) {
        object("trace", &out)
        text.member("base", &out)
        out.append(UInt8(ascii: "\""))
        out.add(decimal: base)
        out.add("\",\"clock\":{")
        text.word("name", text.names.clock, &out)
        text.word("unit", text.names.clockUnit, &out)
        out.add("}}\n")
    }

    func addJSON(_ event: KVMEvent, _ stamp: EventStamp, _ place: EventPlace, to out: inout OutputSpan<UInt8>) {
        addJSONPlace(stamp, place, to: &out)
        text.word("event", text.names.tracepoints[Int(event.kind.rawValue)], &out)
        text.member("fields", &out)
        out.append(UInt8(ascii: "{"))
        event.tell(text, &out)
        out.add("}}\n")
    }

    /// What every event has, whatever its fields.
    func addJSONPlace(_ stamp: EventStamp, _ place: EventPlace, to out: inout OutputSpan<UInt8>) {
        object("event", &out)
        text.number("time", stamp.time.elapsed(since: base), &out)
        nullable("cpu", stamp.knownCPU, &out)
        nullable("tid", stamp.knownThread, &out)
        nullable("vm", place.serial, &out)
        nullable("vcpu", place.vcpu, &out)
        switch place.level {
        case .l1: text.word("level", "l1", &out)
        case .l2: text.word("level", "l2", &out)
        case .unknown: text.word("level", "unknown", &out)
        }
    }

    func addJSON(_ gap: EventGap, to out: inout OutputSpan<UInt8>) {
        object("lost", &out)
        text.number("instance", gap.instance, &out)
        nullable("cpu", gap.knownCPU, &out)
        if let process = gap.process { text.number("process", process, &out) }
        nullable("from", gap.from?.elapsed(since: base), &out)
        nullable("to", gap.to?.elapsed(since: base), &out)
        nullable("events", gap.events, &out)
        out.add("}\n")
    }

    private func object(_ type: StaticString, _ out: inout OutputSpan<UInt8>) {
        out.append(UInt8(ascii: "{"))
        text.word("type", type, &out)
    }

    private func nullable(_ key: StaticString, _ value: (some FixedWidthInteger)?, _ out: inout OutputSpan<UInt8>) {
        if let value { return text.number(key, value, &out) }
        text.member(key, &out)
        out.add("null")
    }
}
