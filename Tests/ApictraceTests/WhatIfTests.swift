// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// `analyze --what-if`, of real recordings.
@Suite struct WhatIfTests {
    private static func report(_ recording: String) throws -> Report {
        try Report(
            json: Command(
                "analyze", "--json", "--what-if", "inhibit-on-l2-access", ExitStatusTableTests.fixture(recording)
            ).output)
    }

    @Test func `BitVisor's L2 faults on the page before its interrupt is lost`() throws {
        let report = try Self.report("bitvisor/6.1.192-svifix-undone-smp2/trace")
        let vm = try #require(report.whatIf?.vms.first)
        #expect(vm.trigger?.event == "mark_mmio_spte")
        #expect(vm.findings == [.init(id: "F1", path: .emulated)])
        #expect(report.findings[0].evidence.allSatisfy { $0.time > vm.trigger?.time ?? .max })
        // All that the report has of L2's accesses came then.
        let direct = report.vms[0].vcpus.map(\.apicAccess.l2Direct)
        #expect(vm.l2Direct.reads == direct.reduce(0) { $0 + ($1.reads ?? 0) })
        #expect(vm.l2Direct.writes == direct.reduce(0) { $0 + ($1.writes ?? 0) })
        // 401 were accepted for one that is lost, and only the first was not merged.
        #expect(vm.cost.map { $0.coalesced >= 398 && $0.eoiExits < 10 } == true)
    }

    @Test func `a loss of an L1 that hooked the page, and let L2 through later, came before the inhibit`() throws {
        let report = try Self.report("intel/6.12.107/nofix-passthrough")
        #expect(report.verdict == .confirmed)
        #expect(report.whatIf?.vms.first?.findings == [.init(id: "F1", path: .before)])
    }

    @Test(arguments: [
        ("intel/6.12.107/no-apicv-stale-svi", Report.WhatIf.Outcome.alreadyInhibited),
        ("intel/6.12.107/hooked-only", .notReached), ("intel/6.12.107/nofix-stale-svi-4ev", .unknown),
        ("amd/6.12-force_avic/l2-passthrough", .inhibited),
    ])
    func `what it would have changed in the lab`(recording: String, outcome: Report.WhatIf.Outcome) throws {
        #expect(try Self.report(recording).whatIf?.vms.map(\.outcome) == [outcome])
    }

    @Test func `a policy that nobody knows is wrong usage`() throws {
        let run = try ExitStatusTableTests.shell("apictrace analyze --what-if pigs-fly $clean")
        #expect(run.status == 64)
        #expect(run.errors.contains("inhibit-on-l2-access"))
    }
}
