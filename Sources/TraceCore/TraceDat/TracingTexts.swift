// SPDX-License-Identifier: Apache-2.0

/// What a recorder copies from tracefs as texts: the formats of pages and events, the kernel's symbols and threads' names.
///
/// trace-cmd and perf write them alike. What is damaged is left out, and ``cut`` tells of it.
struct TracingTexts: Sendable {
    /// Of the traced kernel, in bytes.
    private(set) var longSize = 8
    var formats = FormatCatalog()
    private(set) var symbols: KernelSymbols?
    private(set) var commands: [Int32: String] = [:]
    /// The first damage that was met.
    var cut: TraceCut?

    mutating func note(_ damage: TraceCut) {
        cut = cut ?? damage
    }

    /// `header_page` and `header_event`.
    mutating func readHeaders(_ reader: inout SectionReader) throws(TraceCut) {
        for name in ["header_page", "header_event"] {
            let before = reader.cut
            guard try reader.string() == name else { throw before }
            let text = try reader.text(try reader.integer(UInt64.self))
            guard name == "header_page" else { continue }
            let commit = EventFormat.fields(in: text[...].lines).fields.first { $0.name == "commit" }
            guard let commit, commit.size == 4 || commit.size == 8 else { throw before }
            longSize = commit.size
        }
    }

    mutating func readInternalFormats(_ reader: inout SectionReader) throws(TraceCut) {
        for _ in 0..<(try reader.integer(UInt32.self)) {
            guard !formats.isFull else { throw reader.cut }
            let size = try reader.integer(UInt64.self)
            let start = reader.offset
            if !formats.addInternal(try reader.text(size)) { noteFormat(at: start) }
        }
    }

    mutating func readFormats(_ reader: inout SectionReader) throws(TraceCut) {
        for _ in 0..<(try reader.integer(UInt32.self)) {
            let system = try reader.string()
            for _ in 0..<(try reader.integer(UInt32.self)) {
                guard !formats.isFull else { throw reader.cut }
                let size = try reader.integer(UInt64.self)
                let start = reader.offset
                if !formats.add(try reader.text(size), system: system) { noteFormat(at: start) }
            }
        }
    }

    private mutating func noteFormat(at offset: UInt64) {
        note(TraceCut(offset: offset, expected: "a format that makes sense"))
    }

    mutating func readSymbols(_ reader: inout SectionReader) throws(TraceCut) {
        var scan = KallsymsScan()
        var rest = Int(try reader.integer(UInt32.self))
        while rest > 0 {
            // Of a list that is cut, an absence would mean nothing.
            guard let text = reader.chunk(atMost: rest) else { throw reader.cut }
            scan.take(text)
            rest -= text.count
        }
        symbols = scan.symbols
    }

    /// The kernel keeps 128 unless it is set to keep more; beyond this a command is left out.
    private static let mostCommands = 1 << 16

    /// `pid command` lines.
    mutating func readCommands(_ reader: inout SectionReader) throws(TraceCut) {
        let text = try reader.text(try reader.integer(UInt64.self))
        for line in text[...].lines where commands.count < Self.mostCommands {
            let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 1)
            guard parts.count == 2, let tid = Int32(parts[0].text) else { continue }
            commands[tid] = parts[1].text
        }
    }
}
