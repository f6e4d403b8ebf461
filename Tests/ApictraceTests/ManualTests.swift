// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The man pages, as `make dist` makes them of what the command says of itself.
@Suite struct ManualTests {
    @Test func `there is a page a subcommand, with exit statuses, values, defaults and examples that can be copied`()
        throws
    {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = try Command(
            running: root.appending(path: ".ci/manual"),
            [
                Command.directory.appending(path: "apictrace").path, root.appending(path: "README.md").path,
                folder.path,
            ])
        #expect(run.status == 0, "\(run.errors)")
        func page(_ name: String) throws -> String {
            try String(contentsOf: folder.appending(path: "\(name).1"), encoding: .utf8).replacing("\\-", with: "-")
        }
        let whole = try page("apictrace")
        for code in [0, 1, 2, 3, 4, 5, 6, 64] { #expect(whole.contains("\n.TP\n.B \(code)\n")) }
        for command in ["analyze", "diff", "events", "cut", "live", "doctor", "explain", "schema"] {
            #expect(whole.contains("\n.TP\n.B \(command)\n"))
            let page = try page("apictrace-\(command)")
            #expect(page.contains("\n.SH EXIT STATUS\n"))
            // No line is filled or broken.
            #expect(page.contains("\n.SH EXAMPLES\n.nf\n"))
        }
        let analyze = try page("apictrace-analyze")
        #expect(analyze.contains("Values: clean, inconclusive, exposed, hazard, suspect, confirmed."))
        #expect(analyze.contains("Default: exposed."))
        #expect(analyze.contains("\napictrace analyze --json trace.dat | jq .verdict\n"))
        // What is refused has no entry.
        #expect(!analyze.contains("fB-C"))
    }
}
