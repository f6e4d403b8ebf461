// SPDX-License-Identifier: Apache-2.0

/// Perfetto's packets read back, a line each: what it takes of protobuf to do so.
struct PerfettoPackets {
    indirect enum Field {
        case number(UInt64)
        case bytes([UInt8])

        var number: UInt64 { if case .number(let number) = self { number } else { 0 } }
        var bytes: [UInt8] { if case .bytes(let bytes) = self { bytes } else { [] } }
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    struct Malformed: Error {}

    private(set) var lines: [String] = []
    private var names: [UInt64: String] = [:]

    init(_ trace: [UInt8]) throws {
        for (number, packet) in try Self.fields(trace) {
            guard number == 1 else { throw Malformed() }
            try add(Self.fields(packet.bytes))
        }
    }

    private mutating func add(_ packet: [(UInt64, Field)]) throws {
        func field(_ number: UInt64, of fields: [(UInt64, Field)]) -> Field? { fields.first { $0.0 == number }?.1 }
        guard field(10, of: packet)?.number == 1 else { throw Malformed() }
        if let track = field(60, of: packet) {
            let track = try Self.fields(track.bytes)
            let parent = field(5, of: track).flatMap { names[$0.number] }.map { $0 + " / " } ?? ""
            names[field(1, of: track)?.number ?? 0] = parent + (field(2, of: track)?.text ?? "")
            return
        }
        guard let event = field(11, of: packet) else { throw Malformed() }
        let fields = try Self.fields(event.bytes)
        let type = ["", "begin", "end", "instant", "counter"][Int(field(9, of: fields)?.number ?? 0)]
        var line = "\(field(8, of: packet)?.number ?? 0) \(names[field(11, of: fields)?.number ?? 0] ?? "?"): \(type)"
        if let name = field(23, of: fields) { line += " \(name.text)" }
        if let value = field(30, of: fields) { line += " \(value.number)" }
        if let flow = field(47, of: fields) { line += " ->\(flow.number)" }
        if let flow = field(48, of: fields) { line += " -|\(flow.number)" }
        for (number, annotation) in fields where number == 4 {
            let annotation = try Self.fields(annotation.bytes)
            let value =
                field(6, of: annotation)?.text
                ?? "\((field(3, of: annotation) ?? field(2, of: annotation))?.number ?? 0)"
            line += " [\(field(10, of: annotation)?.text ?? "")=\(value)]"
        }
        lines.append(line)
    }

    private static func fields(_ bytes: [UInt8]) throws -> [(UInt64, Field)] {
        var rest = bytes[...]
        var fields: [(UInt64, Field)] = []
        while !rest.isEmpty {
            let key = try varint(&rest)
            switch key & 7 {
            case 0: fields.append((key >> 3, .number(try varint(&rest))))
            case 1:
                guard rest.count >= 8 else { throw Malformed() }
                fields.append((key >> 3, .number(rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })))
                rest = rest.dropFirst(8)
            case 2:
                let count = Int(try varint(&rest))
                guard rest.count >= count else { throw Malformed() }
                fields.append((key >> 3, .bytes(Array(rest.prefix(count)))))
                rest = rest.dropFirst(count)
            default: throw Malformed()
            }
        }
        return fields
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw Malformed() }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw Malformed()
    }
}
