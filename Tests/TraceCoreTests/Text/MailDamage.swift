// SPDX-License-Identifier: Apache-2.0
import Foundation

@testable import TraceCore

/// What mailers, editors and browsers make of a text.
enum MailDamage: String, CaseIterable, Sendable {
    case plain, quoted, quotedTwice, crlf, byteOrderMark, utf16, utf16BigEndian, utf16WithoutMark, quotedPrintable
    case quotedPrintableBody, base64, html, wrapped, wrappedAndQuoted, indented, noBreakSpaces, blankLines, pasted

    var breaksLines: Bool { self == .wrapped || self == .wrappedAndQuoted || self == .quotedPrintableBody }

    func bytes(_ text: String) -> [UInt8] {
        switch self {
        case .plain: Array(text.utf8)
        case .quoted: Array(Self.byLine(text) { "> " + $0 }.utf8)
        case .quotedTwice: Array(Self.byLine(text) { ">> " + $0 }.utf8)
        case .crlf: Array(text.replacingOccurrences(of: "\n", with: "\r\n").utf8)
        case .byteOrderMark: [0xef, 0xbb, 0xbf] + Array(text.utf8)
        case .utf16: [0xff, 0xfe] + text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        case .utf16BigEndian: [0xfe, 0xff] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        case .utf16WithoutMark: text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        case .quotedPrintable: Array((Self.header("quoted-printable") + Self.quotedPrintable(text)).utf8)
        case .quotedPrintableBody: Array(Self.quotedPrintable(text).utf8)
        case .base64: Array((Self.header("base64") + Self.base64(text)).utf8)
        case .html: Array(Self.html(text).utf8)
        case .wrapped: Array(Self.byLine(text) { Self.wrap($0).joined(separator: "\n") }.utf8)
        case .wrappedAndQuoted: Array(Self.byLine(text) { "> " + Self.wrap($0).joined(separator: "\n> ") }.utf8)
        case .indented: Array(Self.byLine(text) { "    " + $0 }.utf8)
        case .noBreakSpaces: Array(text.replacingOccurrences(of: "  ", with: "\u{a0} ").utf8)
        case .blankLines: Array(text.replacingOccurrences(of: "\n", with: "\n\n").utf8)
        case .pasted: Array(("Hi,\n\nthis is what I get:\n```\n" + text + "```\nThanks: me\n--\nme\n").utf8)
        }
    }

    private static func byLine(_ text: String, _ change: (Substring) -> String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { change($0) + "\n" }.joined()
    }

    private static func header(_ encoding: String) -> String {
        "From: somebody\nSubject: lost interrupts\nContent-Type: text/plain; charset=utf-8\n"
            + "Content-Transfer-Encoding: \(encoding)\nMIME-Version: 1.0\n\n"
    }

    /// RFC 2045, 6.7: lines of 76 at most.
    private static func quotedPrintable(_ text: String) -> String {
        byLine(text) { line in
            var encoded = ""
            var column = 0
            for byte in line.utf8 {
                let piece = byte == UInt8(ascii: "=") ? "=3D" : String(UnicodeScalar(byte))
                if column + piece.count > 75 {
                    encoded += "=\n"
                    column = 0
                }
                encoded += piece
                column += piece.count
            }
            return encoded
        }
    }

    private static func base64(_ text: String) -> String {
        Data(text.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed]) + "\n"
    }

    private static func html(_ text: String) -> String {
        let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "=", with: "&#61;")
        return "<!DOCTYPE html>\n<html><head><title>a: b</title></head>\n<body><p>See this:</p><pre class=\"code\">"
            + escaped + "</pre>\n<p>Thanks</p></body></html>\n"
    }

    /// At the last blank that leaves a line no longer than 72.
    private static func wrap(_ line: Substring) -> [String] {
        var lines: [String] = []
        var rest = line
        while rest.count > 72 {
            let head = rest.prefix(73)
            guard let blank = head.lastIndex(of: " "), head[..<blank].contains(where: { $0 != " " }) else { break }
            lines.append(String(head[..<blank]))
            rest = rest[rest.index(after: blank)...]
        }
        return lines + [String(rest)]
    }
}
