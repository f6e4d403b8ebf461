// SPDX-License-Identifier: Apache-2.0

/// The lines of a listing, one after the other: time, CPU, thread, VM and vCPU, level, tracepoint, fields.
struct ListingLine {
    private var text: EventText
    private let brackets: Bool
    private let clock: TraceClock
    /// JSON's times count from here, as the report's do.
    private var base: UInt64 = 0

    init(form: EventText.Form, brackets: Bool, clock: TraceClock, names: NameTables) {
        text = EventText(form: form, names: names)
        text.out.reserve(EventListing.blockSize + 1024)
        self.brackets = brackets
        self.clock = clock
    }

    var bytes: [UInt8] { text.out.bytes }
    var count: Int { text.out.bytes.count }

    mutating func removeAll() {
        text.out.removeAll()
    }

    mutating func begin(base: UInt64) {
        self.base = base
        guard text.form == .json else { return }
        object("trace")
        text.member("base")
        text.out.add("\"")
        text.out.add(decimal: base)
        text.out.add("\",\"clock\":{")
        text.word("name", NameTables.clean(clock.name))
        text.word("unit", NameTables.clean(clock.unit.rawValue))
        text.out.add("}}\n")
    }

    @inline(__always)
    mutating func add(_ event: KVMEvent, _ stamp: EventStamp, _ place: EventPlace) {
        let name = text.names.tracepoints[Int(event.kind.rawValue)]
        if text.form == .json {
            object("event")
            text.number("time", relative(stamp.time))
            text.number("cpu", stamp.cpu)
            text.number("tid", stamp.tid)
            nullable("vm", place.vm)
            nullable("vcpu", place.vcpu)
            text.word("level", place.level.key)
            text.word("event", name)
            text.member("fields")
            text.out.add("{")
            text.fields(of: event)
            text.out.add("}}\n")
        } else {
            lead(time: stamp.time, cpu: stamp.cpu)
            columns(stamp.tid, place)
            if brackets { brace(event, place) }
            text.out.add(name)
            text.out.add(": ")
            text.out.add(byte: ByteText.space, count: Self.nameWidth - name.count)
            text.fields(of: event)
            text.out.add("\n")
        }
    }

    /// A hole, where it begins.
    mutating func add(_ gap: EventGap) {
        if text.form == .json {
            object("lost")
            text.number("instance", gap.instance)
            text.number("cpu", gap.cpu)
            nullable("from", gap.from.map(relative))
            nullable("to", gap.to.map(relative))
            nullable("events", gap.events)
            text.out.add("}\n")
        } else {
            lead(time: gap.from ?? gap.to ?? base, cpu: gap.cpu)
            text.out.add("lost ")
            if let events = gap.events {
                text.out.add(decimal: events)
            } else {
                text.out.add("an unknown number of")
            }
            text.out.add(" events")
            if let to = gap.to {
                text.out.add(" until ")
                time(to)
            } else {
                text.out.add(", all that follow on this CPU")
            }
            text.out.add("\n")
        }
    }

    // MARK: - JSON

    private mutating func object(_ type: StaticString) {
        text.out.add("{")
        text.word("type", type)
    }

    private mutating func nullable(_ key: StaticString, _ value: (some FixedWidthInteger)?) {
        if let value { return text.number(key, value) }
        text.member(key)
        text.out.add("null")
    }

    private func relative(_ time: UInt64) -> UInt64 {
        time > base ? time - base : 0
    }

    // MARK: - Columns

    private static let nameWidth = 20
    private static let vcpuWidth = 7

    /// `   72.372469 [000] `: trace-cmd's words, so that its listing and this one can be held side by side.
    private mutating func lead(time: UInt64, cpu: Int32) {
        self.time(time, secondsWidth: 5)
        text.out.add(" [")
        text.out.add(decimal: UInt64(UInt32(bitPattern: cpu)), width: 3, padding: UInt8(ascii: "0"))
        text.out.add("] ")
    }

    private mutating func columns(_ tid: Int32, _ place: EventPlace) {
        text.out.add(decimal: Int64(tid), width: 7)
        text.out.add(" ")
        let start = count
        number(place.vm)
        text.out.add("/")
        number(place.vcpu)
        text.out.add(byte: ByteText.space, count: Self.vcpuWidth - (count - start))
        switch place.level {
        case .l1: text.out.add("L1 ")
        case .l2: text.out.add("L2 ")
        case .unknown: text.out.add("-  ")
        }
    }

    private mutating func number(_ value: (some FixedWidthInteger & SignedInteger)?) {
        if let value { text.out.add(decimal: Int64(value)) } else { text.out.add("-") }
    }

    private mutating func brace(_ event: KVMEvent, _ place: EventPlace) {
        switch event {
        case .exit: text.out.add("{ ")
        case .entry: text.out.add("} ")
        default: text.out.add(place.isInBracket ? "    " : "  ")
        }
    }

    private mutating func time(_ time: UInt64, secondsWidth: Int = 1) {
        guard clock.isPrintedInSeconds else { return text.out.add(decimal: time, width: secondsWidth + 7) }
        let microseconds = time / 1000 + (time % 1000 >= 500 ? 1 : 0)
        text.out.add(decimal: microseconds / 1_000_000, width: secondsWidth)
        text.out.add(".")
        text.out.add(decimal: microseconds % 1_000_000, width: 6, padding: UInt8(ascii: "0"))
    }
}

extension Level {
    /// The report's key for it.
    fileprivate var key: StaticString {
        switch self {
        case .l1: "l1"
        case .l2: "l2"
        case .unknown: "unknown"
        }
    }
}
