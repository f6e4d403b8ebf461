// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// The seed report's own case: real BitVisor between KVM and Linux, with the fix and without.
@Suite struct BitVisorRecordingTests {
    struct Facts: Decodable {
        struct Trace: Decodable {
            struct Accesses: Decodable {
                /// `vcpu0 write EOI` or, hooked, `vcpu0 EOI`.
                var accesses: [String: UInt64]
            }
            var events: UInt64
            var ipis: UInt64
            /// `apic0 0x30`
            var accepted: [String: UInt64]
            var eoiInL2: [String: UInt64]
            var directL2: Accesses
            var hooked: Accesses
        }
        var trace: Trace
    }

    static let lossy = BundledRecording(name: "bitvisor/6.1.192-svifix-undone-smp2/trace")
    static let healthy = BundledRecording(name: "bitvisor/6.1.192-asshipped-smp2/trace")

    @Test func `the lost timer tick is found, with its vector, its vCPU and the moment`() throws {
        let report = try Self.lossy.report()
        #expect(report.verdict == .confirmed)
        let finding = try #require(report.findings.first)
        #expect(finding.rule == .staleSVI)
        #expect(finding.vcpu == 0)
        #expect(finding.vectors == ["0x30"])
        #expect(finding.crossings.map(\.vector) == ["0x30"])
        #expect(finding.crossings.first?.ackLevel == .l1)
        #expect(finding.crossings.first?.eoiLevel == .l2)
        // The second tick after the crossing is accepted, reflected, and L1 gets nothing.
        let base = try #require(UInt64(report.source.span.base))
        #expect((base + finding.first) / 1000 == 72_376_161)
        #expect(finding.count == 400)
    }

    @Test func `the healthy boot has no suspicion, and shows by itself that the fix is there`() throws {
        let report = try Self.healthy.report()
        #expect(report.verdict == .exposed)
        #expect(report.findings.allSatisfy { $0.rule == .l2APICDirect && $0.vectors.isEmpty })
        #expect(report.host.sviFix.state == .present)
        #expect(report.host.sviFix.basis == .behaviour)
    }

    @Test(arguments: [lossy, healthy]) func `every access, accept and EOI is counted`(_ recording: BundledRecording)
        throws
    {
        let (report, facts) = (try recording.report(), try recording.truth("FACTS.json", as: Facts.self).trace)
        #expect(report.source.events.total == facts.events)
        let vcpus = report.vms.flatMap(\.vcpus)
        #expect(vcpus.reduce(0) { $0 + ($1.ipisSent ?? 0) } == facts.ipis)
        var (direct, hooked, accepted, ended) = ([:], [:], [:], [:]) as (Counts, Counts, Counts, Counts)
        for vcpu in vcpus {
            let id = vcpu.id ?? -1
            for (name, count) in vcpu.apicAccess.l2Direct.registers {
                direct["vcpu\(id) read \(name)", default: 0] += count.reads
                direct["vcpu\(id) write \(name)", default: 0] += count.writes
            }
            for (name, count) in vcpu.apicAccess.l2Hooked.registers {
                hooked["vcpu\(id) \(name)", default: 0] += count.reads + count.writes
            }
            for line in vcpu.interrupts {
                accepted["apic\(id) \(line.vector)", default: 0] += line.accepted.total
                ended["apic\(id) \(line.vector)", default: 0] += line.ended.l2 ?? 0
            }
        }
        #expect(direct.filter { $0.value > 0 } == facts.directL2.accesses)
        #expect(hooked == facts.hooked.accesses)
        // The facts count INIT and SIPI as accepts too.
        let modes: Set = ["apic1 0x00", "apic1 0x87", "apic1 0x99"]
        #expect(accepted.filter { $0.value > 0 } == facts.accepted.filter { !modes.contains($0.key) })
        #expect(ended.filter { $0.value > 0 } == facts.eoiInL2)
    }

    private typealias Counts = [String: UInt64]
}
