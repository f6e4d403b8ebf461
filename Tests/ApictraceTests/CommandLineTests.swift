// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

@Suite struct CommandLineTests {
    @Test(arguments: [
        ["--help"], ["analyze", "--help"], ["events", "--help"], ["explain", "--help"], ["schema", "--help"],
        ["live", "--help"], ["diff", "--help"],
    ])
    func `every help has an example`(arguments: [String]) throws {
        let command = arguments.count == 1 ? try Command(arguments[0]) : try Command(arguments[0], arguments[1])
        #expect(command.status == 0)
        #expect(command.output.contains("EXAMPLE"))
        let example = "apictrace \(arguments.count == 1 ? "analyze" : arguments[0])"
        #expect(["\n  ", "\n  sudo "].contains { command.output.contains($0 + example) })
    }

    @Test func `the version names libbpf's too`() throws {
        let command = try Command("--version")
        #expect(command.status == 0)
        #expect(command.output.wholeMatch(of: /apictrace \d+\.\d+\.\d+, libbpf v\d+\.\d+\n/) != nil)
        #expect(try Command("-V").output == command.output)
    }

    @Test func `wrong usage is 64 and says what is right`() throws {
        #expect(try Command("analyze").status == 3)
        #expect(try Command("analyze", "--pretty").status == 64)
        #expect(try Command("analyze", "-q", "-v").status == 64)
        #expect(try Command("analyze", "--vcpu", "2-1").status == 64)
        #expect(try Command("bogus").status == 64)
        #expect(try Command("analyze", "--from", "1.2s", "x.dat").status == 64)
        #expect(try Command("analyze", "--fail-on", "clean", "x.dat").status == 64)
        #expect(try Command("live", "--lapic").status == 64)
        #expect(try Command("live", "--bogus").status == 64)
        #expect(try Command("live", "--buffer", "2G").status == 64)
        #expect(try Command("live", "--buffer", "1M", "-b", "64").status == 64)
        #expect(try Command("analyze", "--threads", "3", "x.dat").status == 64)
        #expect(try Command("analyze", "-", "-").status == 64)
        #expect(try Command("diff", "-", "-").status == 64)
        #expect(try Command("diff", "x.dat").status == 64)
        #expect(try Command("diff", "x.dat", "y.dat", "z.dat").status == 64)
        #expect(try Command("diff", "-C", "0", "x.dat", "y.dat").status == 64)
        #expect(try Command("diff", "--kallsyms", "k", "--kallsyms-a", "k", "x.dat", "y.dat").status == 64)
        let unknownGrade = try Command("analyze", "--fail-on", "lost", "x.dat")
        #expect(unknownGrade.status == 64)
        for grade in Grade.allCases { #expect(unknownGrade.errors.contains("- \(grade.rawValue)\n")) }
    }

    @Test func `a file that is not there is 3, and the message names it`() throws {
        let command = try Command("analyze", "/no/such/a.dat", "/no/such/b.dat")
        #expect(command.status == 3)
        #expect(command.output == "")
        #expect(command.errors.contains("apictrace: /no/such/a.dat: "))
        #expect(command.errors.contains("apictrace: /no/such/b.dat: "))
    }

    @Test func `explain lists every rule in a line`() throws {
        let command = try Command("explain")
        #expect(command.status == 0)
        let lines = command.output.split(separator: "\n")
        #expect(lines.map { String($0.prefix { $0 != " " }) } == RuleID.allCases.map(\.rawValue))
    }

    @Test(arguments: RuleID.allCases)
    func `explain has a page for each rule`(rule: RuleID) throws {
        let command = try Command("explain", rule.rawValue)
        #expect(command.status == 0)
        #expect(command.output.hasPrefix(rule.rawValue))
        #expect(!command.output.contains("\u{1b}"))
        for heading in ["What happens", "How a trace shows it", "Affected kernels", "Fix", "What to do"] {
            #expect(command.output.contains("\n\n\(heading)\n  "))
        }
        #expect(command.output.contains("trace-cmd record -b 16384 -e kvm:kvm_entry"))
    }

    @Test func `explain of an unknown rule is 64 and lists the known ones`() throws {
        let command = try Command("explain", "ghost-irq")
        #expect(command.status == 64)
        for rule in RuleID.allCases { #expect(command.errors.contains("- \(rule.rawValue)\n")) }
    }

    /// It would wait for them in vain.
    @Test(arguments: [
        ("2147483647", "there is no process 2147483647"), ("no-such-guest", "no VM is called no-such-guest"),
    ])
    func `live ends at once where a VM that is asked for is not there`(vm: String, reason: String) throws {
        let live = try Command("live", "--duration", "60", "--vm", vm)
        // Who has no privileges learns of that first.
        if live.status == 4 { return }
        #expect(live.status == 64)
        #expect(live.errors.contains(reason))
    }

    @Test func `what doctor says fits its schema, and the schema is a strict one`() throws {
        let said = try Command("doctor", "--json").output.replacing("\n", with: " ")
        #expect(try LineValidator.complaints(about: said, schema: "--doctor").isEmpty)
        let complaints = try LineValidator.complaints(
            about: said.replacing("\"finding\"", with: "\"result\""), schema: "--doctor")
        #expect(complaints.contains("'finding' is a required property"))
    }

    @Test func `each key of doctor's schema is required, or written where it means something`() throws {
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(Command("schema", "--doctor").output.utf8)) as? [String: Any])
        let properties = try #require(schema["properties"] as? [String: [String: Any]])
        #expect(Set(properties.keys) == Set(schema["required"] as? [String] ?? []))
        let check = try #require(properties["checks"]?["items"] as? [String: Any])
        let keys = Set((check["properties"] as? [String: Any] ?? [:]).keys)
        #expect(keys.subtracting(check["required"] as? [String] ?? []) == ["advice"])
        let advised = try Examination([DoctorCheck("kvm", .failed, "not loaded", advice: "load it")]).json()
        #expect(advised.contains(#""advice" : "load it""#))
        #expect(try LineValidator.complaints(about: advised.replacing("\n", with: " "), schema: "--doctor") == "")
    }

    @Test func `the schema that is printed is the one that reports are tested against`() throws {
        let command = try Command("schema")
        #expect(command.status == 0)
        #expect(command.output == Report.schema + "\n")
        #expect(try Command("schema", "--live").output == Report.lineSchema + "\n")
        #expect(try Command("schema", "--diff").output == Comparison.schema + "\n")
        let names = try ["--analyze", "--diff", "--live", "--events", "--doctor"].map { option in
            let text = try Command("schema", option).output
            let schema = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return schema?["$id"] as? String ?? ""
        }
        #expect(Set(names).count == 5)
        #expect(names.allSatisfy { $0.hasPrefix("urn:apictrace:schema:1.3:") })
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(command.output.utf8)) }
    }

    @Test func `a subcommand that is nearly right is suggested`() throws {
        let near = try Command("analize", "x.dat")
        #expect(near.status == 64)
        #expect(near.errors == "apictrace: there is no command analize: did you mean analyze?\n")
        let unknown = try Command("frobnicate").errors
        #expect(unknown.contains("there are analyze, diff, events, cut, live, doctor, explain, schema"))
    }

    @Test func `trace.dat is what is read where no file is named`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        let run = try ExitStatusTableTests.shell(
            """
            mkdir '\(folder)' && cd '\(folder)' && cp "$found" trace.dat && trap 'rm -r "\(folder)"' EXIT
            apictrace analyze -q; apictrace analyze -q -i trace.dat; apictrace events | wc -l
            apictrace analyze -q -o out.txt; cat out.txt; apictrace events -o /nonexistent/out; echo $?
            """)
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines[0].hasPrefix("trace.dat: ") && lines[1] == lines[0] && lines[3] == lines[0])
        #expect(Int(lines[2]) ?? 0 > 100)
        #expect(lines[4] == "6")
    }

    @Test func `JSON is an object a line, of a file that can't be read too`() throws {
        let run = try ExitStatusTableTests.shell("apictrace analyze --json $found /no/such.dat $clean")
        #expect(run.status == 3)
        let lines = run.output.split(separator: "\n").map(String.init)
        let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        #expect(objects.map { $0?["type"] as? String } == ["report", "error", "report"])
        #expect(objects[1]?["path"] as? String == "/no/such.dat")
        #expect(try LineValidator.complaints(about: run.output, schema: "--analyze") == "")
        let quiet = try ExitStatusTableTests.shell("apictrace analyze --json --quiet $found /no/such.dat")
        #expect(quiet.output.contains(#""type":"verdict""#) && quiet.output.contains(#""type":"error""#))
        #expect(quiet.output.split(separator: "\n").allSatisfy { $0.utf8.count < 1000 })
        #expect(try LineValidator.complaints(about: quiet.output, schema: "--analyze") == "")
        let pretty = try ExitStatusTableTests.shell("apictrace analyze --json --pretty $found")
        #expect(pretty.output.hasPrefix("{\n"))
    }

    @Test func `a report that is narrowed says so`() throws {
        let run = try ExitStatusTableTests.shell("apictrace analyze --vm 'VM 0' --vcpu 0,2-3 --from +0.001 $found")
        #expect(run.output.contains("Only of it: VM 0, vCPUs 0, 2 and 3, from +0.001"))
        #expect(try !ExitStatusTableTests.shell("apictrace analyze $found").output.contains("Only of it"))
    }

    @Test func `-v cuts no list short, and says what it doesn't add`() throws {
        let file = ExitStatusTableTests.fixture("bitvisor/6.1.192-asshipped-smp2/trace")
        let (short, long) = (try Command("analyze", file).output, try Command("analyze", "-v", file).output)
        #expect(short.contains("Chain     14 of 29 events") && short.contains("\n    ...\n"))
        #expect(long.contains("Chain     24 of 29 events") && !long.contains("\n    ...\n"))
        #expect(!long.contains(/and \d+ more/))
        #expect(try Command("analyze", "--help").output.contains("the first 24 and 8 of the last"))
    }

    @Test func `what to do depends on what is known`() throws {
        func words(_ name: String) throws -> String {
            try Command("analyze", ExitStatusTableTests.fixture(name)).output.replacing(/\s+/, with: " ")
        }
        let fixed = try words("bitvisor/6.1.192-asshipped-smp2/trace")
        #expect(fixed.contains("Do now Nothing: this kernel has the fix for stale SVI."))
        let four = try words("intel/6.12.107/nofix-passthrough-4ev")
        #expect(four.contains("a loss could not show, for events are missing"))
        #expect(four.contains("apictrace analyze --kallsyms FILE settles it"))
        #expect(try words("intel/6.12.107/nofix-hooked-only").contains("Do now Run a host kernel with 04bc93cf49d1"))
    }

    @Test func `colour is had where it is asked for, and only there`() throws {
        #expect(try Command("explain", "--color", "always").output.contains("\u{1b}["))
        #expect(try !Command("explain", "--color", "auto").output.contains("\u{1b}["))
        #expect(try !Command("explain", "--color=always", "--no-color").output.contains("\u{1b}["))
    }

    @Test func `what is longer than the terminal goes through the pager, and ends with the verdict`() throws {
        guard try ExitStatusTableTests.shell("command -v script").status == 0 else { return }
        func page(_ options: String, pager: String = "sed s/^/PAGED:/") throws -> String {
            try ExitStatusTableTests.shell(
                """
                export TERM=xterm PAGER='\(pager)' FOUND="$found"
                export TOOL='\(Command.directory.appending(path: "apictrace").path)'
                script -qec 'stty rows 24 cols 80; cd "$(dirname "$FOUND")"; "$TOOL" analyze \(options) "$(basename "$FOUND")"' /dev/null
                """
            ).output
        }
        let paged = try page("")
        #expect(paged.hasPrefix("PAGED:"))
        let plain = try page("--no-pager")
        #expect(!plain.contains("PAGED:"))
        #expect(try page("", pager: "/no/such/pager").contains("CONFIRMED") == plain.contains("CONFIRMED"))
        let lines = plain.replacing(/\e\[[0-9;]*m/, with: "").split(separator: "\r\n")
        // An address is a word that nobody breaks.
        #expect(lines.allSatisfy { $0.count <= 80 || $0.split(separator: " ").count == 1 })
        #expect(lines.count { $0.hasPrefix(lines[0]) } == 2)
        #expect(lines.suffix(4).contains { $0.hasPrefix(lines[0]) })
    }
}
