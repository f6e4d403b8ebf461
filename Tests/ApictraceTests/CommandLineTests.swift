// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@Suite struct CommandLineTests {
    @Test(arguments: [
        ["--help"], ["analyze", "--help"], ["events", "--help"], ["explain", "--help"], ["schema", "--help"],
        ["live", "--help"],
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
    }

    @Test func `wrong usage is 64 and says what is right`() throws {
        #expect(try Command("analyze").status == 64)
        #expect(try Command("bogus").status == 64)
        #expect(try Command("analyze", "--from", "1.2s", "x.dat").status == 64)
        #expect(try Command("analyze", "--fail-on", "clean", "x.dat").status == 64)
        #expect(try Command("live", "--lapic").status == 64)
        #expect(try Command("live", "--record", "-").status == 64)
        #expect(try Command("analyze", "--threads", "3", "x.dat").status == 64)
        #expect(try Command("analyze", "-", "-").status == 64)
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

    @Test func `the schema that is printed is the one that reports are tested against`() throws {
        let command = try Command("schema")
        #expect(command.status == 0)
        #expect(command.output == Report.schema + "\n")
        #expect(try Command("schema", "--live").output == Report.lineSchema + "\n")
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(command.output.utf8)) }
    }
}
