// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

/// How live is called and looked at by who has guests to watch.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct LiveHabitsTests {
    /// In a folder of its own, where guests that run on can be started: `guest a` has its process in `$a`.
    private func shell(_ line: String) throws -> Command {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString)").path
        return try ExitStatusTableTests.shell(
            """
            mkdir '\(folder)' && cd '\(folder)'
            tool='\(Command.directory.appending(path: "apictrace").path)'
            once='\(Command.directory.appending(path: "apictrace-guest").path)'
            guests=()
            guest() { cp "$once" $1; ./$1 2000000000 0 >/dev/null & eval $1=$!; guests+=($!); }
            trap 'kill -9 "${guests[@]}" 2>/dev/null; rm -r "\(folder)"' EXIT
            \(line)
            """)
    }

    @Test func `a command needs no dashes before it, and -b and -o are trace-cmd's`() throws {
        let run = try shell(
            "apictrace live --quiet -b 1024 -o trace.dat $once 10 0; echo $?; apictrace analyze -q; apictrace live -b 1 true"
        )
        #expect(run.output.contains("ipis 10\ntimers 0\nclean: "))
        #expect(run.output.contains("\n0\ntrace.dat: clean: "))
        #expect(run.status == 64 || run.status == 2)
    }

    @Test func `a buffer that is too small makes it inconclusive, and the doubt says what helps`() throws {
        let run = try shell("apictrace live --buffer 4K $once 200000 0")
        #expect(run.status == 2)
        #expect(run.output.firstMatch(of: /Doubt +(At least )?\d+ events were lost in/) != nil)
        #expect(
            run.output.replacing(/\s+/, with: " ").contains("A larger ring (--buffer) helps, or one VM alone (--vm)."))
    }

    @Test func `VMs that are asked for add up, and the report says that all were traced`() throws {
        let run = try shell(
            """
            guest a; guest b; guest c; sleep 0.3; echo $a $b
            apictrace live --json --quiet --allow-inconclusive --duration 0.7 --vm $a -p b
            """)
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n").map(String.init)
        let report = try Report(json: try #require(lines.last))
        #expect(
            report.vms.compactMap(\.pid).sorted() == lines[0].split(separator: " ").compactMap { Int32($0) }.sorted())
        #expect(
            report.unknowns.contains { $0.standing && $0.text.hasPrefix("The kernel was not told which VMs to trace") })
        let one = try shell("guest a; sleep 0.3; apictrace live --allow-inconclusive --duration 0.5 --vm $a")
        #expect(one.status == 0)
        #expect(!one.output.contains("The kernel was not told"))
        let ftrace = try shell("guest a; sleep 0.3; apictrace live --backend ftrace --duration 0.5 --vm $a")
        #expect(ftrace.output.contains("The kernel was not told"))
    }

    @Test(.enabled(if: access("/usr/bin/script", X_OK) == 0, "script is not installed"))
    func `the screen counts VMs that have not run, drops those that end, pauses and ends by keys`() throws {
        let run = try shell(
            """
            guest a; guest b; guest c; sleep 0.3; kill -STOP $a $b; sleep 0.1
            await() { for i in {1..400}; do grep -q "$1" typescript 2>/dev/null && return; sleep 0.05; done; }
            {
                await '2 idle VMs, not run yet'; kill -9 $c; await '2 VMs, 0 vCPUs,'
                printf p; await PAUSED; printf q
            } | TERM=xterm script -qfec "stty rows 24 cols 80; '$tool' live --allow-inconclusive --no-color" typescript >/dev/null
            echo "status $?"; cat typescript
            """)
        #expect(run.output.hasPrefix("status 0\n"), "\(run.output.suffix(2000))")
        // A terminal makes a return and a line feed of a line feed.
        let text = String(String.UnicodeScalarView(run.output.unicodeScalars.filter { $0 != "\r" }))
        let frames = text.split(separator: "\u{1b}[H").dropFirst().map { frame in
            frame.split(separator: "\u{1b}[J")[0].replacing(/\e\[[0-9;?]*[A-Za-z]/, with: "").split(separator: "\n")
        }
        #expect(frames.allSatisfy { $0.count <= 24 && $0.allSatisfy { $0.count <= 80 } })
        let isCounted = { (frame: [Substring]) in frame.contains { $0.hasPrefix("  2 idle VMs, not run yet: a (pid ") }
        }
        let first = try #require(frames.first(where: isCounted), "\(frames)")
        #expect(first[0].contains(" 3 VMs, 1 vCPU, "))
        #expect(first.contains { $0.hasPrefix("c (pid ") && $0.contains("APICv ") })
        #expect(first.last == "q quit, with the report   p pause   arrows choose a VM   Enter its detail")
        let last = try #require(frames.last)
        #expect(last[0].contains("PAUSED, as it was at "))
        #expect(!last.contains { $0.hasPrefix("c (pid ") })
        #expect(last.last?.contains("p go on") == true)
        // The terminal is as it was, with the report.
        #expect(run.output.split(separator: "\u{1b}[?25h\u{1b}[?1049l").last?.contains("live (BPF), ") == true)
    }
}
