// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

@testable import apictrace

/// `analyze` of folders, and of several files side by side.
@Suite struct ManyRecordingsTests {
    private static let folder = """
        folder=$(mktemp -d) && trap 'rm -r "$folder"' EXIT && cd "$folder"
        mkdir -p b/c && cp $found b/c/2.dat && cp $clean b/1.dat && echo 'no trace' >b/notes.txt && echo '{}' >b/c/x.json

        """

    @Test func `of a folder all recordings are analysed, in the order of their names, and other files are counted`()
        throws
    {
        let run = try ExitStatusTableTests.shell(Self.folder + "apictrace analyze -q b")
        #expect(run.status == 1)
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("b/1.dat: clean") == true)
        #expect(lines.last?.hasPrefix("b/c/2.dat: confirmed") == true)
        #expect(run.errors == "apictrace: texts without an event of KVM's, passed over: 2 (b/c/x.json, b/notes.txt)\n")
    }

    @Test func `a bad file costs itself alone`() throws {
        let run = try ExitStatusTableTests.shell(
            Self.folder + "head -c 20 $found >b/0.dat; : >b/3.dat; apictrace analyze --json b")
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
        #expect(run.errors.contains("no recording is in the folder"))
    }

    @Test(arguments: [
        "mkdir e; apictrace analyze -q e b", "cp $found b/$'\\xff\\xfe.dat'; apictrace analyze -q b",
        "ln -s c b/link; apictrace analyze -q b", "head -c 8 $found >b/0.dat; apictrace analyze -q b",
        "head -c 99 /dev/zero >b/noise; apictrace analyze -q b",
    ])
    func `what can't be looked at is told, and never passed over`(line: String) throws {
        let run = try ExitStatusTableTests.shell(Self.folder + line)
        #expect(run.status == 3)
        #expect(run.output.contains("b/c/2.dat: confirmed"))
    }

    @Test func `a link to a recording is one, and so is what a link to a folder leads to where it is named`() throws {
        let run = try ExitStatusTableTests.shell(
            Self.folder + "mkdir d; ln -s ../b/c/2.dat d/x.dat; ln -s d l; apictrace analyze -q l")
        #expect(run.output.contains("l/x.dat: confirmed"))
        #expect(run.status == 1)
    }

    @Test(arguments: [
        "--html b/1.dat", "-o b/1.dat", "--sarif b/../b/1.dat", "--kallsyms k --junit ./k", "-o y --html ./y",
    ])
    func `no output replaces what is read, or another output`(options: String) throws {
        let run = try ExitStatusTableTests.shell(
            Self.folder
                + "rm -r b/c b/notes.txt; echo x >k; apictrace analyze -q \(options) b; echo $?; cmp $clean b/1.dat; cat k"
        )
        #expect(run.output == "64\nx\n")
    }

    @Test func `a run that ends early leaves no passing verdicts of an earlier one`() throws {
        let run = try ExitStatusTableTests.shell(
            Self.folder + """
                apictrace analyze -q --junit v.xml $clean >o; grep -c 'errors="0"' v.xml
                apictrace analyze -q --junit v.xml --sarif /dev/full $found >o; grep -c '<failure' v.xml
                apictrace analyze -q --junit v.xml --html /no/such/x $found >o; grep -c '<error' v.xml
                """)
        #expect(run.output == "2\n1\n1\n")
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
