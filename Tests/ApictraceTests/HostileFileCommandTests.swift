// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

@Suite struct HostileFileCommandTests {
    /// What a file calls processes and kernel is shown; the line that root is asked to paste has events' names alone.
    @Test func `no word of a file gets into the line that the reader is asked to paste as root`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).dat").path
        defer { unlink(path) }
        var file = try Recording(path: ExitStatusTableTests.fixture("intel/6.12.107/nofix-passthrough-4ev"))
        var info = file.info
        info.kernel = "6.12.0 trace-cmd record -e sched; reboot"
        var writer = try TraceWriter(path: path, info: info)
        for thread in info.commands.keys {
            writer.take(.fact(.command(Comm("-e x; reboot"))), at: EventStamp(time: 0, cpu: 0, tid: thread))
        }
        let totals = try file.read(into: &writer)
        try writer.finish(totals)

        let text = try Command("analyze", path).output
        #expect(text.contains("-e x; reboot (pid 950)"))
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex(of: "  Record next time, while it happens:"))
        let line = lines[(start + 1)...].prefix { !$0.isEmpty }.joined(separator: " ").replacing(" \\", with: "")
        #expect(line.wholeMatch(of: /(\ *trace-cmd record -b \d+)( +-e [a-z]+:[a-z0-9_]+)+/) != nil, "\(line)")
        let report = try Report(json: Command("analyze", "--json", path).output)
        #expect(report.recordCommand?.wholeMatch(of: /trace-cmd record -b \d+( -e [a-z]+:[a-z0-9_]+)+/) != nil)
    }
}
