// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@Suite struct EventsTests {
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "TraceCoreTests/Fixtures")

    private static func fixture(_ name: String) -> String { fixtures.appending(path: name).path }

    /// Records of the kinds that the machine uses, as the report counts them.
    private static func counted(_ name: String) throws -> UInt64 {
        var file = try TraceFile(path: fixture(name))
        var analysis = Analysis(info: file.info)
        let totals = try analysis.read(&file)
        return totals.byName.filter { EventKind(tracepoint: $0.key) != nil }.values.reduce(0, +)
    }

    @Test(arguments: [
        "intel/6.12.107/hooked-only.dat", "intel/6.1.192/passthrough-2v.dat", "amd/6.12-noavic/l2-passthrough.dat",
    ])
    func `there is a line for each event that the report counts`(name: String) throws {
        let command = try Command("events", Self.fixture(name))
        #expect(command.status == 0)
        #expect(command.errors == "")
        #expect(try UInt64(command.output.split(separator: "\n").count) == Self.counted(name))
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
            #expect(command.output.split(separator: "\n").count == Int(expected))
        }
    }

    @Test func `only the tracepoints that are asked for are listed`() throws {
        let path = Self.fixture("intel/6.12.107/passthrough-2v.dat")
        let command = try Command("events", "--event", "kvm_eoi", "--event", "kvm:kvm_apic_ipi", path)
        let names = Set(
            command.output.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(5).first })
        #expect(names == ["kvm_eoi:", "kvm_apic_ipi:"])
    }

    @Test func `times are trace-cmd's, and bound the listing by them`() throws {
        let path = Self.fixture("intel/6.12.107/hooked-only.dat")
        let all = try Command("events", path).output.split(separator: "\n")
        let time = try #require(all[all.count / 2].split(separator: " ").first)
        let some = try Command("events", "--from", String(time), "--to", String(time), path).output
        #expect(
            some.split(separator: "\n").map { $0.split(separator: " ").first }
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
        let unknown = try Command("events", "--event", "kvm_bogus", "x.dat")
        #expect(unknown.status == 64)
        for kind in EventKind.allCases { #expect(unknown.errors.contains("- \(kind.tracepoints[0])\n")) }
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
