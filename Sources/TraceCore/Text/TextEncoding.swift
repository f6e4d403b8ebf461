// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// What a mailer, a browser or an editor made of a text, which is undone before a line of it is read.
///
/// Quote marks, indentation, line ends and lines that were broken are no encoding: ``TextScanner`` reads them as they are.
struct TextEncoding {
    private enum Kind {
        case plain
        case utf16(isBigEndian: Bool)
        /// A mail, with parts that may each be encoded in another way.
        case mail
        /// The body of one, without its header.
        case quotedPrintable
        case html
        /// Blanks are no-break spaces, as some mailers and pages put them.
        case noBreakSpaces
    }

    private enum Transfer {
        case plain, quotedPrintable, base64
    }

    private let kind: Kind
    private var transfer = Transfer.plain
    /// A part's header has been read so far: it says how the part is encoded, once a blank line ends it.
    private var announced: Transfer?
    private var isInTag = false
    private var output: [UInt8] = []

    /// So much of a text is looked at to tell how it is encoded.
    static let headSize = 1 << 16

    init(head: [UInt8]) {
        kind = Self.kind(head)
        if case .quotedPrintable = kind { transfer = .quotedPrintable }
    }

    var isPlain: Bool {
        if case .plain = kind { true } else { false }
    }

    /// A text in UTF-8: without control characters that no text has.
    static func isText(head: [UInt8]) -> Bool {
        isUTF16(head) != nil || !head.contains { $0 < 0x20 && !(9...13).contains($0) && $0 != 0x1b }
    }

    /// The text as it was meant, in a temporary file.
    mutating func decoded(_ file: InputFile) throws(InputError) -> InputFile {
        var spool = try SpoolFile(for: file.name) { _ in .max }
        if case .utf16(let isBigEndian) = kind {
            try decodeUTF16(file, isBigEndian, into: &spool)
        } else {
            var lines = TextLines(file)
            while lines.advance() {
                decode(lines.buffer[lines.current])
                if output.count >= 1 << 16 { try flush(into: &spool) }
            }
        }
        try flush(into: &spool)
        return try InputFile(owning: spool.descriptor, name: file.name)
    }

    private mutating func flush(into spool: inout SpoolFile) throws(InputError) {
        replaceNoBreakSpaces()
        _ = try spool.take(output[...])
        output.removeAll(keepingCapacity: true)
    }

    // MARK: - What it is

    private static func kind(_ head: [UInt8]) -> Kind {
        if let isBigEndian = isUTF16(head) { return .utf16(isBigEndian: isBigEndian) }
        let lines = head.prefix(headSize).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
        let first = lines.first.map { String(decoding: $0.prefix(64), as: UTF8.self).lowercased() } ?? ""
        if first.contains("<!doctype html") || first.contains("<html") { return .html }
        if lines.contains(where: { transfer(of: $0) != nil }) { return .mail }
        if isQuotedPrintable(head.prefix(headSize)) { return .quotedPrintable }
        return zip(head, head.dropFirst()).contains { $0 == 0xc2 && $1 == 0xa0 } ? .noBreakSpaces : .plain
    }

    /// Nil where it is not; else whether the high byte comes first.
    private static func isUTF16(_ head: [UInt8]) -> Bool? {
        if head.starts(with: [0xff, 0xfe]) { return false }
        if head.starts(with: [0xfe, 0xff]) { return true }
        guard head.count >= 64 else { return nil }
        let odd = (0..<32).allSatisfy { head[2 * $0 + 1] == 0 && head[2 * $0] != 0 }
        let even = (0..<32).allSatisfy { head[2 * $0] == 0 && head[2 * $0 + 1] != 0 }
        return odd ? false : even ? true : nil
    }

    /// Each equals sign ends a line or begins a byte, and some stand for themselves or end a line: no trace of its own has that.
    private static func isQuotedPrintable(_ head: ArraySlice<UInt8>) -> Bool {
        var isSure = false
        var index = head.startIndex
        while let sign = head[index...].firstIndex(of: UInt8(ascii: "=")) {
            index = sign + 1
            guard index + 2 < head.endIndex else { break }
            if head[index] == 0x0a || head[index] == 0x0d {
                isSure = true
            } else if head[index].hexDigit != nil, head[index + 1].hexDigit != nil, !isLowercase(head[index]),
                !isLowercase(head[index + 1])
            {
                isSure = isSure || head[index] == UInt8(ascii: "3") && head[index + 1] == UInt8(ascii: "D")
            } else {
                return false
            }
        }
        return isSure
    }

    private static func isLowercase(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }

    /// What a line of a mail's header says of how the text is encoded.
    private static func transfer(of line: ArraySlice<UInt8>) -> Transfer? {
        guard let first = line.first, first | 0x20 == UInt8(ascii: "c"), line.count < 100 else { return nil }
        let text = String(decoding: line, as: UTF8.self).lowercased()
        guard text.hasPrefix("content-transfer-encoding:") else { return nil }
        return text.contains("quoted-printable") ? .quotedPrintable : text.contains("base64") ? .base64 : .plain
    }

    // MARK: - Lines

    private mutating func decode(_ line: ArraySlice<UInt8>) {
        if case .html = kind { return decodeHTML(line) }
        if case .mail = kind, noteHeader(line) { return }
        switch transfer {
        case .plain: append(line)
        case .quotedPrintable: decodeQuotedPrintable(line)
        case .base64: decodeBase64(line)
        }
    }

    private mutating func append(_ line: ArraySlice<UInt8>) {
        output += line
        output.append(0x0a)
    }

    /// What has been decoded, with blanks for no-break spaces.
    private mutating func replaceNoBreakSpaces() {
        guard output.contains(0xc2) else { return }
        var place = 0
        var index = 0
        while index < output.count {
            let isNoBreak = output[index] == 0xc2 && index + 1 < output.count && output[index + 1] == 0xa0
            output[place] = isNoBreak ? 0x20 : output[index]
            place += 1
            index += isNoBreak ? 2 : 1
        }
        output.removeLast(output.count - place)
    }

    /// - Returns: whether the line is of a header, or ends a part.
    private mutating func noteHeader(_ line: ArraySlice<UInt8>) -> Bool {
        let isBlank = line.allSatisfy(\.isSpace)
        if let transfer = Self.transfer(of: line) {
            announced = transfer
        } else if isBlank, let transfer = announced {
            (self.transfer, announced) = (transfer, nil)
        } else if line.starts(with: Array("--".utf8)), transfer == .base64 || line.count > 8 && !line.contains(0x20),
            !line.starts(with: Array("---".utf8))
        {
            transfer = .plain
        } else if line.starts(with: Array("From ".utf8)), transfer != .base64 {
            transfer = .plain
        } else {
            return false
        }
        append(line)
        return true
    }

    private mutating func decodeQuotedPrintable(_ line: ArraySlice<UInt8>) {
        var index = line.startIndex
        while index < line.endIndex {
            let byte = line[index]
            index += 1
            guard byte == UInt8(ascii: "=") else {
                output.append(byte)
                continue
            }
            // Blanks that a mailer left behind the sign don't count.
            if line[index...].allSatisfy(\.isSpace) { return }
            if index + 1 < line.endIndex, let high = line[index].hexDigit, let low = line[index + 1].hexDigit {
                output.append(high << 4 | low)
                index += 2
            } else {
                output.append(byte)
            }
        }
        output.append(0x0a)
    }

    private mutating func decodeBase64(_ line: ArraySlice<UInt8>) {
        let text = line.filter { !$0.isSpace }
        guard let data = Data(base64Encoded: Data(text)) else { return append(line) }
        output += data
    }

    // MARK: - HTML

    private static let entities: [(name: String, byte: UInt8)] = [
        ("lt;", 0x3c), ("gt;", 0x3e), ("amp;", 0x26), ("quot;", 0x22), ("#39;", 0x27), ("#x27;", 0x27), ("nbsp;", 0x20),
        ("#34;", 0x22), ("#60;", 0x3c), ("#62;", 0x3e), ("#61;", 0x3d),
    ]

    private mutating func decodeHTML(_ line: ArraySlice<UInt8>) {
        var index = line.startIndex
        while index < line.endIndex {
            let rest = line[index...]
            if isInTag {
                isInTag = line[index] != UInt8(ascii: ">")
                index += 1
            } else if line[index] == UInt8(ascii: "<"), let next = rest.dropFirst().first,
                next.isLetter || next == UInt8(ascii: "/") || next == UInt8(ascii: "!")
            {
                if rest.dropFirst().starts(with: Array("br".utf8)) { output.append(0x0a) }
                isInTag = true
                index += 1
            } else if line[index] == UInt8(ascii: "&"),
                let entity = Self.entities.first(where: { rest.dropFirst().starts(with: $0.name.utf8) })
            {
                output.append(entity.byte)
                index += 1 + entity.name.utf8.count
            } else {
                output.append(line[index])
                index += 1
            }
        }
        output.append(0x0a)
    }

    // MARK: - UTF-16

    private mutating func decodeUTF16(_ file: InputFile, _ isBigEndian: Bool, into spool: inout SpoolFile)
        throws(InputError)
    {
        var offset: UInt64 = 0
        while offset + 1 < file.size {
            let bytes = file.bytes(at: offset, count: 1 << 16)
            guard bytes.count > 1 else { break }
            for index in stride(from: 0, to: bytes.count - 1, by: 2) {
                let (first, second) = (UInt32(bytes[index]), UInt32(bytes[index + 1]))
                append(isBigEndian ? first << 8 | second : second << 8 | first)
            }
            offset += UInt64(bytes.count & ~1)
            try flush(into: &spool)
        }
    }

    /// A character of the basic plane in UTF-8; half of a pair becomes a question mark.
    private mutating func append(_ unit: UInt32) {
        switch unit {
        case 0xfeff: break
        case ..<0x80: output.append(UInt8(unit))
        case ..<0x800: output += [UInt8(0xc0 | unit >> 6), UInt8(0x80 | unit & 0x3f)]
        case 0xd800..<0xe000: output.append(UInt8(ascii: "?"))
        default: output += [UInt8(0xe0 | unit >> 12), UInt8(0x80 | unit >> 6 & 0x3f), UInt8(0x80 | unit & 0x3f)]
        }
    }
}
