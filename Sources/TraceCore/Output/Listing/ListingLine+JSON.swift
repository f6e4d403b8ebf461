// SPDX-License-Identifier: Apache-2.0

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
        text.add(event, to: &out)
        out.add("}}\n")
    }

    /// What every event has, whatever its fields.
    func addJSONPlace(_ stamp: EventStamp, _ place: EventPlace, to out: inout OutputSpan<UInt8>) {
        object("event", &out)
        text.number("time", relative(stamp.time), &out)
        text.number("cpu", stamp.cpu, &out)
        text.number("tid", stamp.tid, &out)
        nullable("vm", place.vm, &out)
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
        text.number("cpu", gap.cpu, &out)
        nullable("from", gap.from.map(relative), &out)
        nullable("to", gap.to.map(relative), &out)
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

    private func relative(_ time: UInt64) -> UInt64 {
        time > base ? time - base : 0
    }
}
