// SPDX-License-Identifier: Apache-2.0
import Foundation
import ReportPage
import Testing

@testable import TraceCore

/// `analyze --html`, and what a browser makes of its pages.
@Suite(.serialized) struct PageTests {
    private static let script = ConsumerScript(name: "page.py", suffix: ".html")

    @Test(arguments: [
        "bitvisor/6.1.192-svifix-undone-smp2/trace", "amd/6.12-force_avic/lost", "intel/6.12.107/nofix-hooked-only",
    ])
    func `a browser shows the report's numbers, and each finding at its place`(recording: String) throws {
        try Self.script.check(ExitStatusTableTests.fixture(recording), option: "--html")
    }

    @Test func `a hostile name is text on the page`() throws {
        try Self.script.checkHostileNames(option: "--html")
    }

    @Test func `the page's data is the report, and nothing on it is loaded`() throws {
        let recording = ExitStatusTableTests.fixture("bitvisor/6.1.192-svifix-undone-smp2/trace")
        let page = try Command("analyze", "--html", "-", recording).output
        for way in ["src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
            #expect(!page.contains(way), "\(way)")
        }
        let data = try #require(page.firstMatch(of: /<script type="application\/json" id="data">(.*?)<\/script>/)).1
        struct Given: Decodable {
            let report: Report
            let timeline: TimelineSnapshot
        }
        let given = try JSONDecoder().decode(Given.self, from: Data(data.utf8))
        let report = try Report(json: try Command("analyze", "--json", recording).output)
        #expect(given.report == report)
        #expect(given.timeline.vms.map(\.id) == report.vms.map(\.id))
        #expect(!given.timeline.vms.flatMap(\.vcpus).isEmpty)
    }

    @Test func `names end neither the data nor the text`() throws {
        var report = try Report(
            json: try Command("analyze", "--json", ExitStatusTableTests.fixture("amd/6.12-force_avic/lost")).output)
        report.vms[0].command = "</script><img src=x onerror=alert(1)>{{script}}"
        report.source.path = "</pre></details><img>.dat"
        let page = try report.html(Timeline())
        #expect(page.matches(of: /<\/script>/).count == 2)
        #expect(!page.contains("<img"))
        #expect(page.contains("{{script}}"))
    }

    @Test func `it is written beside the report, whose exit status stays`() throws {
        let run = try ExitStatusTableTests.shell(
            """
            page=$(mktemp) && trap 'rm "$page"' EXIT
            apictrace analyze --html "$page" -q $found; echo $?; head -n 1 "$page"
            apictrace analyze --html - $found | cmp - "$page" && echo same
            """)
        #expect(run.output.contains(": confirmed"))
        #expect(run.output.hasSuffix("\n1\n<!DOCTYPE html>\nsame\n"))
        #expect(run.errors == "")
    }

    @Test(arguments: [
        "--html x $found $clean", "--html x --perfetto x $found", "--html $copy $copy",
        "--html $copy ${copy%/*}/./${copy##*/}",
    ])
    func `a page is of one recording, and replaces neither it nor another output`(arguments: String) throws {
        let run = try ExitStatusTableTests.shell(
            """
            copy=$(mktemp) && trap 'rm "$copy"' EXIT && cat $found >"$copy"
            apictrace analyze \(arguments); echo $?; cmp $found "$copy"
            """)
        #expect(run.output == "64\n")
    }

    @Test func `a page that can't be written is 6`() throws {
        let full = try ExitStatusTableTests.shell("apictrace analyze -q --html /dev/full $found")
        #expect(full.status == 6)
        #expect(full.errors.contains("/dev/full: can't be written: No space left on device"))
    }
}
