// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// `analyze --sarif` and `--junit`, and what readers of those formats make of them.
@Suite struct CIOutputTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func `sarif-tools and junitparser find what the reports say, of several files and of one that can't be read`()
        throws
    {
        let python = Self.root.appending(path: ".build/python/bin/python3").path
        let run = try ExitStatusTableTests.shell(
            """
            folder=$(mktemp -d) && trap 'rm -r "$folder"' EXIT && cd "$folder"
            apictrace analyze --json --sarif x.sarif --junit x.xml $found $clean $inconclusive $exposed /no/such >x.json 2>/dev/null
            echo $?
            python='\(python)'; [ -x "$python" ] || python=python3
            "$python" '\(Self.root.path)/Tests/Outputs/ci.py' x.sarif x.xml x.json; echo "ends with $?"
            """)
        #expect(run.output.hasPrefix("3\n"))
        if run.output.hasSuffix("ends with 77\n") { return print(run.output) }
        #expect(run.output.hasSuffix("ends with 0\n"), "\(run.output)\n\(run.errors)")
    }

    @Test func `a grade below --fail-on passes, and what is inconclusive is skipped`() throws {
        let exposed = try ExitStatusTableTests.shell("apictrace analyze --fail-on hazard --junit - $exposed")
        #expect(exposed.status == 0)
        #expect(
            exposed.output.contains(
                "<testsuites name=\"apictrace\" tests=\"7\" failures=\"0\" errors=\"0\" skipped=\"0\">"))
        let failing = try ExitStatusTableTests.shell("apictrace analyze --junit - $exposed")
        #expect(failing.status == 1)
        #expect(failing.output.contains("<failure type=\"l2-apic-direct\" message=\"exposed: "))
        let inconclusive = try ExitStatusTableTests.shell("apictrace analyze --junit - $inconclusive")
        #expect(inconclusive.status == 2)
        #expect(inconclusive.output.contains("failures=\"0\" errors=\"0\" skipped=\"7\">"))
    }

    @Test func `no results do not look like a clean bill`() throws {
        let log = try ExitStatusTableTests.shell("apictrace analyze --sarif - $inconclusive").output
        #expect(log.contains("\"results\" : [\n\n      ]"))
        #expect(log.contains("inconclusive: "))
    }

    @Test func `names are text in both, and a path is an address`() throws {
        var report = try Report(
            json: try Command("analyze", "--json", ExitStatusTableTests.fixture("intel/6.12.107/nofix-hooked-only"))
                .output)
        report.vms[0].command = "a</failure><b>\"&\u{1b}\u{202e}\u{ffff}"
        report.source.path = "a folder/ü?.dat"
        let junit = JUnitReport([.report(report)], failOn: .exposed).text
        #expect(try XMLNames(junit).names == ["testsuites", "testsuite", "testcase", "failure", "skipped"])
        #expect(junit.contains("a&lt;/failure&gt;&lt;b&gt;&quot;&amp;\\x1b\\u{202e}?"))
        let sarif = try SARIFLog([.report(report)]).text()
        #expect(sarif.contains("\"uri\" : \"a%20folder/%C3%BC%3F.dat\""))
        #expect(!sarif.unicodeScalars.contains("\u{202e}"))
    }

    @Test func `they are written beside the reports; one that can't be is 6`() throws {
        #expect(try ExitStatusTableTests.shell("apictrace analyze -q --sarif /dev/full $found").status == 6)
        #expect(try ExitStatusTableTests.shell("apictrace analyze -q --junit /no/such/x $found").status == 6)
        #expect(try ExitStatusTableTests.shell("apictrace analyze -q --junit x --sarif x $found").status == 64)
    }
}

/// The names of the elements of well-formed XML; each tag has to end what is open.
private struct XMLNames {
    private(set) var names: Set<String> = []

    struct Malformed: Error {}

    init(_ text: String) throws {
        var open: [String] = []
        for match in text.matches(of: /<(\/?)([a-z]+)([^>]*?)(\/?)>/) {
            let name = String(match.2)
            names.insert(name)
            if match.1 == "/" {
                guard open.popLast() == name else { throw Malformed() }
            } else if match.4 != "/" {
                open.append(name)
            }
        }
        guard open.isEmpty else { throw Malformed() }
    }
}
