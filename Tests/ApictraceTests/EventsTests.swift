// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@Suite struct EventsTests {
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "TraceCoreTests/Fixtures")

    private static func fixture(_ name: String) -> String { fixtures.appending(path: name).path }

    /// Records of KVM's events, as the report counts them.
    private static func counted(_ name: String) throws -> UInt64 {
        var file = try Recording(path: fixture(name))
        let others = Set(file.info.otherEvents)
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        return totals.byName.filter { EventKind(tracepoint: $0.key) != nil || others.contains($0.key) }.values
            .reduce(0, +)
    }

    /// Without the line that names the columns.
    private static func lines(_ command: Command) -> [Substring] {
        command.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    @Test(arguments: [
        "intel/6.12.107/hooked-only.dat", "intel/6.1.192/passthrough-2v.dat", "amd/6.12-noavic/l2-passthrough.dat",
    ])
    func `there is a line for each event that the report counts`(name: String) throws {
        let command = try Command("events", Self.fixture(name))
        #expect(command.status == 0)
        #expect(command.errors == "")
        #expect(try UInt64(Self.lines(command).count) == Self.counted(name))
        let brackets = try Command("events", "--brackets", Self.fixture(name))
        #expect(brackets.output.split(separator: "\n").count == command.output.split(separator: "\n").count)
    }

    @Test func `each line of JSON is an object, and what the recorder lost is among them`() throws {
        let name = "amd/6.12-force_avic/lost.dat"
        let command = try Command("events", "--json", Self.fixture(name))
        #expect(command.status == 0)
        var types: [String: UInt64] = [:]
        for line in command.output.split(separator: "\n") {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            types[try #require(object["type"] as? String), default: 0] += 1
        }
        #expect(types == ["trace": 1, "event": try Self.counted(name), "lost": 10])
    }

    @Test func `levels are as the report counts them`() throws {
        let path = Self.fixture("intel/6.12.107/passthrough-2v.dat")
        let report = try Report(json: Command("analyze", "--json", path).output)
        for (level, name) in [("l1", \Report.ExitCounts.l1), ("l2", \.l2)] {
            let expected = report.vms.flatMap(\.vcpus).flatMap { $0.exits[keyPath: name].values }.reduce(0, +)
            let command = try Command("events", "--event", "kvm_exit", "--level", level, path)
            #expect(Self.lines(command).count == Int(expected))
        }
    }

    @Test func `only the tracepoints that are asked for are listed`() throws {
        let path = Self.fixture("intel/6.12.107/passthrough-2v.dat")
        let command = try Command("events", "--event", "kvm_eoi", "--event", "kvm:kvm_apic_ipi", path)
        #expect(Self.names(command) == ["kvm_eoi", "kvm_apic_ipi"])
        let globs = try Command("events", "-e", "kvm_nested_vm*,kvm_e?i", path)
        #expect(
            Self.names(globs) == ["kvm_nested_vmenter", "kvm_nested_vmexit", "kvm_nested_vmexit_inject", "kvm_eoi"])
    }

    private static func names(_ command: Command) -> Set<Substring> {
        Set(lines(command).compactMap { $0.firstMatch(of: #/ (\w+): /#)?.1 })
    }

    @Test func `the columns have names, and threads theirs`() throws {
        let command = try Command("events", "-i", Self.fixture("intel/6.12.107/hooked-only.dat"))
        #expect(command.output.hasPrefix("#       time  CPU  command          thread VM/vCPU level event: fields\n"))
        #expect(command.output.contains(" [000] vmm "))
    }

    @Test func `events that the machine has no use for are reported by their own format`() throws {
        let path = Self.fixture("intel/6.1.192/passthrough-2v.dat")
        let text = try Command("events", "-e", "kvm_emulate_insn", path)
        #expect(text.status == 0)
        #expect(Self.lines(text).first?.contains("kvm_emulate_insn:     rip 0x10015c csbase 0 len 2 insn 8907") == true)
        let json = try Command("events", "--json", "-e", "kvm_emulate_insn", path)
        #expect(json.output.contains(#""event":"kvm_emulate_insn","fields":{"rip":"0x10015c","csbase":0,"len":2,"#))
        #expect(json.output.split(separator: "\n").count == Self.lines(text).count + 1)
    }

    @Test func `a line can tell nanoseconds and how long after the one before it came`() throws {
        let path = Self.fixture("intel/6.12.107/hooked-only.dat")
        let command = try Command("events", "--ns", "--ts-diff", path)
        let times = Self.lines(command).compactMap {
            $0.firstMatch(of: #/^ +(\d+)\.(\d{9}) \+(\d+)\.(\d{9}) /#)?.output
        }
        #expect(times.count == Self.lines(command).count)
        let stamps = times.compactMap { Int("\($0.1)\($0.2)") }
        #expect(
            zip(stamps.dropFirst(), stamps).map { $0 - $1 } == times.dropFirst().compactMap { Int("\($0.3)\($0.4)") })
    }

    @Test func `times since the begin, as the report prints them, and both in one option`() throws {
        let path = Self.fixture("intel/6.12.107/hooked-only.dat")
        let all = try Command("events", path)
        #expect(try Command("events", "--time", "+0,", path).output == all.output)
        let report = try Report(json: Command("analyze", "--json", "--time", "+0.001000,+0.002000", path).output)
        #expect(report.selection?.from == 999_500)
        #expect(report.selection?.to == 2_000_500)
        let both = try Command("events", "--time", "+0.001000,+0.002000", path)
        #expect(both.output == (try Command("events", "--from", "+0.001000", "--to", "+0.002000", path)).output)
        #expect(!Self.lines(both).isEmpty && Self.lines(both).count < Self.lines(all).count)
        #expect(try Command("events", "--time", "1,2", "--from", "1", path).status == 64)
    }

    @Test func `CPUs, VMs by the report's number and vCPUs choose, and nothing chosen is said`() throws {
        let path = Self.fixture("amd/6.12-force_avic/two-vms.dat")
        let all = Self.lines(try Command("events", path)).count
        let parts = try ["0", "1-63"].map { Self.lines(try Command("events", "-C", $0, path)).count }
        #expect(parts.reduce(0, +) == all)
        let vms = try ["VM 0", "VM 1"].map { Self.lines(try Command("events", "--vm", $0, path)).count }
        #expect(vms.allSatisfy { $0 > 0 })
        let both = try Command("events", "--vm", "VM 0", "-p", "vm1", path)
        #expect(Self.lines(both).count == vms.reduce(0, +))
        let nobody = try Command("events", "--vm", "424242", path)
        #expect(nobody.status == 2)
        #expect(nobody.errors.contains("none of its events of KVM is what was asked for"))
    }

    @Test func `a verdict on some CPUs or events alone is not given, and help says why`() throws {
        let path = Self.fixture("intel/6.12.107/hooked-only.dat")
        for (option, reason) in [("-C", "needs the events of all CPUs"), ("-e", "needs the events of every kind")] {
            let runs = [
                try Command("analyze", option, "0", path), try Command("live", option, "0", "--duration", "60"),
            ]
            #expect(runs.allSatisfy { $0.status == 64 && $0.errors.contains(reason) && $0.output == "" })
        }
        #expect(try Command("analyze", "--help").output.contains("There is no -C and no -e as events has them"))
    }

    @Test func `each line satisfies the schema that is printed`() throws {
        for name in ["intel/6.1.192/passthrough-2v.dat", "amd/6.12-force_avic/lost.dat"] {
            let lines = try Command("events", "--json", Self.fixture(name)).output
            #expect(try LineValidator.complaints(about: lines, schema: "--events") == "")
        }
    }

    @Test func `times are trace-cmd's, and bound the listing by them`() throws {
        let path = Self.fixture("intel/6.12.107/hooked-only.dat")
        let all = Self.lines(try Command("events", path))
        let time = try #require(all[all.count / 2].split(separator: " ").first)
        let some = Self.lines(try Command("events", "--from", String(time), "--to", String(time), path))
        #expect(
            some.map { $0.split(separator: " ").first }
                == all.filter { $0.contains(time) }.map { _ in time })
    }

    @Test func `of a cut file what came before is listed, with where and status 2`() throws {
        let command = try Command("events", Self.fixture("amd/6.12-force_avic/truncated-v7-zstd-90pct.dat"))
        #expect(command.status == 2)
        #expect(command.output.contains(" kvm_exit: "))
        #expect(command.errors.contains("cut or damaged at byte "))
    }

    @Test func `what can't be read is 3, and wrong usage 64 with what is right`() throws {
        #expect(try Command("events", "/no/such.dat").status == 3)
        #expect(try Command("events", "--json", "--brackets", "x.dat").status == 64)
        let unknown = try Command("events", "--event", "kvm_bogus", Self.fixture("intel/6.12.107/hooked-only.dat"))
        #expect(unknown.status == 64)
        for kind in EventKind.allCases { #expect(unknown.errors.contains(" \(kind.tracepoints[0])")) }
    }

    @Test(arguments: ["", "trap '' PIPE; "])
    func `a reader that goes away ends it quietly`(setting: String) throws {
        let command = try Command(
            running: URL(filePath: "/bin/sh"),
            [
                "-c", setting + #"{ "$0" events "$1"; echo "status $?" >&2; } | head -n 1"#,
                Command.directory.appending(path: "apictrace").path,
                Self.fixture("bitvisor/6.1.192-asshipped-smp2/trace.dat"),
            ])
        #expect(command.output.split(separator: "\n").count == 1)
        #expect(command.errors == "status 141\n")
    }

    @Test func `standard input is read like a file`() throws {
        let path = Self.fixture("intel/6.12.107/hooked-only.dat")
        let piped = try Command("events", "-", input: URL(filePath: path))
        #expect(piped.output == (try Command("events", path)).output)
    }
}
