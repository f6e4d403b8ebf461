// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Names that try to be more than a name.
@Suite struct HiddenCharacterTests {
    static let hidden =
        Array(0...0x1f) + Array(0x7f...0x9f) + [0x61c, 0x200b, 0x200e, 0x200f]
        + Array(0x2028...0x202e) + Array(0x2066...0x2069) + [0xfeff]

    @Test func `what doesn't print is escaped, and all else stays`() {
        #expect("A\n77 evil".printable == "A\\x0a77 evil")
        #expect("\u{1b}[2J".printable == "\\x1b[2J")
        #expect("user\u{202e}gpj".printable == "user\\u{202e}gpj")
        #expect("\u{e0001}".printable == "\\u{e0001}")
        for name in ["qemu-system-x86", "häst 客户机 🐎", #"C:\x"#] { #expect(name.printable == name) }
        for value in Self.hidden {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect(!"a\(Character(scalar))b".printable.unicodeScalars.contains(scalar))
        }
    }

    @Test func `they come out of no form of the report, and JSON has the name all the same`() throws {
        var report = SampleReports.clean
        let name = "a" + String(String.UnicodeScalarView(Self.hidden.compactMap { Unicode.Scalar($0) })) + "\u{e0001}b"
        report.vms[0].command = name
        report.source.path = name
        for text in [report.text(style: TextStyle()), try report.json(), try report.line(), report.verdictLine] {
            for line in text.split(separator: "\n") {
                #expect(!line.unicodeScalars.contains { Self.hidden.contains(Int($0.value)) || $0.value == 0xe0001 })
            }
        }
        #expect(try Report(json: report.json()).vms[0].command == name)
        #expect(try Report(json: report.line()).source.path == name)
    }
}
