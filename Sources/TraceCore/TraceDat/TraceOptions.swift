// SPDX-License-Identifier: Apache-2.0

/// What the options of a trace.dat say; options that the analysis has no use for are skipped by size.
struct TraceOptions {
    /// Option ids, trace-cmd 3.4, Documentation/trace-cmd/trace-cmd.dat.v7.5.txt.
    enum ID: UInt16 {
        case done, date, cpuStatistics, buffer, traceClock, uname
        case offset = 7
        case cpuCount = 8
        case traceID = 11
        case timeShift, guest, tscToNanoseconds
        case headerInfo = 16
        case internalFormats, formats, symbols
        case commands = 21
        case bufferText
    }

    /// Bytes that the options may keep: the buffers' tables of dozens of instances on the largest host, and all others.
    private var room = (buffers: 1 << 23, others: 1 << 22)

    private(set) var clock: String?
    private(set) var conversion = ClockConversion()
    private(set) var uname: String?
    private(set) var cpuCount: Int?
    private(set) var statistics = CPUStatistics()
    private(set) var guests: [GuestMap] = []
    private(set) var traceID: UInt64?
    private(set) var hostTraceID: UInt64?
    /// Where the sections lie that version 7 finds by option.
    private(set) var sections: [(id: ID, offset: UInt64)] = []
    /// Payloads of the buffers, which the versions write differently, and where they lie.
    private(set) var buffers: [(payload: [UInt8], offset: UInt64)] = []

    /// Whether there is a use for the options with this id.
    static func uses(_ id: UInt16) -> Bool { ID(rawValue: id) != nil }

    /// - Throws: where the payload makes no sense; what else is in the file isn't touched by that.
    mutating func take(_ id: UInt16, _ payload: [UInt8], at offset: UInt64, order: ByteOrder) throws(TraceCut) {
        guard let id = ID(rawValue: id) else { return }
        var reader = Self.reader(payload, at: offset, order: order)
        if id == .buffer { room.buffers -= payload.count } else { room.others -= payload.count }
        guard (id == .buffer ? room.buffers : room.others) >= 0 else {
            throw TraceCut(offset: offset, expected: "options of a sane size")
        }
        switch id {
        case .done: break
        case .date: conversion.offset &+= Self.number(payload) &* 1000
        case .offset: conversion.offset &+= Self.number(payload)
        case .cpuStatistics: statistics.take(Self.text(payload))
        case .buffer: buffers.append((payload, offset))
        case .traceClock:
            clock = Self.text(payload).split(whereSeparator: \.isWhitespace)
                .first { $0.hasPrefix("[") && $0.hasSuffix("]") }
                .map { String($0.dropFirst().dropLast()) }
        case .uname: uname = Self.text(payload)
        case .cpuCount:
            let count = try reader.integer(UInt32.self)
            guard count <= BufferInstance.mostCPUs else { throw BufferInstance.tooManyCPUs(at: offset) }
            cpuCount = Int(count)
        case .traceID: traceID = try reader.integer()
        case .timeShift: hostTraceID = try reader.integer()
        case .guest: guests.append(try Self.guest(&reader))
        case .tscToNanoseconds:
            conversion.multiplier = try reader.integer()
            conversion.shift = try reader.integer()
        case .headerInfo, .internalFormats, .formats, .symbols, .commands, .bufferText:
            sections.append((id, try reader.integer()))
        }
    }

    static func reader(_ payload: [UInt8], at offset: UInt64, order: ByteOrder) -> SectionReader {
        SectionReader("an option's payload", bytes: payload, at: offset, order: order)
    }

    /// A section that no option leads to.
    mutating func add(section id: ID, at offset: UInt64) {
        sections.append((id, offset))
    }

    /// A number as C's strtoll() reads it with base 0, for trace-cmd writes 0x..., and as the recorder's user gives it.
    private static func number(_ payload: [UInt8]) -> Int64 {
        let text = text(payload).filter { !$0.isWhitespace }
        let isNegative = text.hasPrefix("-")
        let digits = text.drop { "+-".contains($0) }
        let value = digits.lowercased().hasPrefix("0x") ? Int64(digits.dropFirst(2), radix: 16) : Int64(digits)
        return (value ?? 0) &* (isNegative ? -1 : 1)
    }

    private static func text(_ payload: [UInt8]) -> String {
        payload.prefix { $0 != 0 }.text
    }

    private static func guest(_ reader: inout SectionReader) throws(TraceCut) -> GuestMap {
        var guest = GuestMap(name: try reader.string(), threads: [])
        _ = try reader.integer(UInt64.self)
        for _ in 0..<(try reader.integer(UInt32.self)) {
            guest.threads.append((vcpu: try reader.integer(), tid: try reader.integer()))
        }
        return guest
    }
}

extension TraceOptions {
    private static let guestsNamed = 8

    /// What a recording of a host together with its guests says of the others' files.
    var sessionNotes: [String] {
        var notes: [String] = []
        if !guests.isEmpty {
            let named = guests.prefix(Self.guestsNamed).map { "\($0.name) (vCPUs: \($0.threads.count))" }
            let names = named.joined(separator: ", ") + (guests.count > named.count ? " and others" : "")
            notes.append(
                "recorded on a host\(Self.words(traceID)) together with its guests \(names): the file names their threads"
            )
        }
        if let hostTraceID {
            notes.append(
                "recorded inside a guest\(Self.words(traceID)), together with its host\(Self.words(hostTraceID)): "
                    + "its clock is not corrected by the host's")
        }
        return notes
    }

    private static func words(_ traceID: UInt64?) -> String {
        traceID.map { " (trace id 0x\(String($0, radix: 16)))" } ?? ""
    }
}
