// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

@testable import apictrace

/// `analyze` of folders, and of several files side by side.
@Suite struct ManyRecordingsTests {
    private static let folder = """
        folder=$(mktemp -d) && trap 'rm -r "$folder"' EXIT && cd "$folder"
        mkdir -p b/c && cp $found b/c/2.dat && cp $clean b/1.dat && echo 'no trace' >b/notes.txt && head -c 64 /dev/urandom >b/noise

        """

    @Test func `of a folder all recordings are analysed, in the order of their names, and other files are counted`() throws {
        let run = try ExitStatusTableTests.shell(Self.folder + "apictrace analyze -q b")
        #expect(run.status == 1)
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("b/1.dat: clean") == true)
        #expect(lines.last?.hasPrefix("b/c/2.dat: confirmed") == true)
        #expect(run.errors == "apictrace: 2 other files in the folders are no recordings\n")
    }

    @Test func `a bad file costs itself alone`() throws {
        let run = try ExitStatusTableTests.shell(Self.folder + "head -c 20 $found >b/0.dat; : >b/3.dat; apictrace analyze --json b")
        #expect(run.status == 3)
        let types = run.output.split(separator: "\n").map { $0.contains("\"type\":\"error\"") }
        #expect(types == [true, false, true, false])
        #expect(run.errors.contains("b/0.dat: ") && run.errors.contains("b/3.dat: empty"))
    }

    @Test(arguments: ["mkdir e; apictrace analyze -q e", "rm -r b/c b/1.dat; apictrace analyze -q b"])
    func `a folder without a recording is no clean bill`(line: String) throws {
        let run = try ExitStatusTableTests.shell(Self.folder + line)
        #expect(run.status == 3)
        #expect(run.output == "")
        #expect(run.errors.contains("no recording was found"))
    }

    @Test func `a page is of one recording, and so of no folder with two`() throws {
        #expect(try ExitStatusTableTests.shell(Self.folder + "apictrace analyze --html x.html b").status == 64)
        #expect(try ExitStatusTableTests.shell(Self.folder + "apictrace analyze -q -j 0 b").status == 64)
    }

    @Test(arguments: [1, 2, 5])
    func `side by side they are told in the same order`(jobs: Int) throws {
        let files = "$found $clean $exposed /no/such $inconclusive $cut $clean $found"
        let one = try ExitStatusTableTests.shell("apictrace analyze --json -j 1 \(files)")
        let some = try ExitStatusTableTests.shell("apictrace analyze --json -j \(jobs) \(files)")
        #expect(some.output == one.output)
        #expect(some.errors == one.errors)
        #expect(some.status == one.status)
    }

    @Test func `no job runs far ahead of what was told`() throws {
        let begun = Mutex(0)
        var told: [Int] = []
        try AnalysisJobs.run(Array(0..<200), jobs: 2) { number in
            begun.withLock { $0 += 1 }
            if number == 0 { usleep(50_000) }
            return number * 2
        } tell: { number, outcome in
            #expect(begun.withLock { $0 } <= number + 9)
            told.append(outcome)
        }
        #expect(told == (0..<200).map { $0 * 2 })
    }
}
