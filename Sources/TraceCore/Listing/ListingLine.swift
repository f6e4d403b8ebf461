// SPDX-License-Identifier: Apache-2.0

/// One line of a listing: time, CPU, thread, VM and vCPU, level, tracepoint, fields. See ListingLine+JSON.swift for JSON.
struct ListingLine: Sendable {
    let text: EventText
    let brackets: Bool
    private let printsSeconds: Bool
    /// Time that JSON's times count from, as the report's do.
    var base: UInt64 = 0

    /// Room that no line outgrows: at most 64 names of an inhibit mask, and two dozen numbers and names with their keys.
    static let longest = 72 * NameTables.longest + 24 * 128

    init(_ options: ListingOptions, clock: TraceClock, names: NameTables) {
        text = EventText(form: options.json ? .json : .text, names: names)
        brackets = options.brackets
        printsSeconds = clock.isPrintedInSeconds
    }

    @inline(__always)
    func add(_ event: KVMEvent, _ stamp: EventStamp, _ place: EventPlace, to block: inout [UInt8]) {
        block.append(addingCapacity: Self.longest) { out in
            if text.form == .text {
                addText(event, stamp, place, to: &out)
            } else {
                addJSON(event, stamp, place, to: &out)
            }
        }
    }

    /// A hole, where it begins.
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
    private func addText(
        _ event: KVMEvent, _ stamp: EventStamp, _ place: EventPlace, to out: inout OutputSpan<UInt8>
    ) {
        lead(time: stamp.time, cpu: stamp.cpu, &out)
        columns(stamp.tid, place, &out)
        if brackets { brace(event, place, &out) }
        out.add(text.names.tracepointColumns[Int(event.kind.rawValue)])
        text.add(event, to: &out)
        out.append(UInt8(ascii: "\n"))
    }

    private func addText(_ gap: EventGap, to out: inout OutputSpan<UInt8>) {
        lead(time: gap.from ?? gap.to ?? base, cpu: gap.cpu, &out)
        out.add("lost ")
        if let events = gap.events {
            out.add(decimal: events)
        } else {
            out.add("an unknown number of")
        }
        out.add(" events")
        if let to = gap.to {
            out.add(" until ")
            time(to, &out)
        } else {
            out.add(", all that follow on this CPU")
        }
        out.append(UInt8(ascii: "\n"))
    }

    /// `   72.372469 [000] `: trace-cmd's words, so that its listing and this one can be held side by side.
    private func lead(time: UInt64, cpu: Int32, _ out: inout OutputSpan<UInt8>) {
        self.time(time, secondsWidth: 5, &out)
        out.add(" [")
        out.add(decimal: UInt64(UInt32(bitPattern: cpu)), width: 3, padding: UInt8(ascii: "0"))
        out.add("] ")
    }

    private func time(_ time: UInt64, secondsWidth: Int = 1, _ out: inout OutputSpan<UInt8>) {
        guard printsSeconds else { return out.add(decimal: time, width: secondsWidth + 7) }
        let microseconds = time / 1000 + (time % 1000 >= 500 ? 1 : 0)
        out.add(decimal: microseconds / 1_000_000, width: secondsWidth)
        out.append(UInt8(ascii: "."))
        out.add(decimal: microseconds % 1_000_000, width: 6, padding: UInt8(ascii: "0"))
    }

    private func columns(_ tid: Int32, _ place: EventPlace, _ out: inout OutputSpan<UInt8>) {
        out.add(decimal: Int64(tid), width: 7)
        out.append(UInt8(ascii: " "))
        let start = out.count
        number(place.vm.map(Int64.init), &out)
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
