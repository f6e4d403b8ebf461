// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What the Intel guests did, by their own account, against what the trace of them says.
@Suite struct IntelRecordingTests {
    struct Truth: Decodable {
        struct Guest: Decodable {
            var sent: [String: UInt64]
            var recvL1: [String: UInt64]
            var recvL2: [String: UInt64]
            var timeouts: [String: UInt64]
            var eoiByL1: UInt64
            var eoiByL2: UInt64
            var apicWritesL1: UInt64
            var apicReadsL1: UInt64
            var apicWritesL2: UInt64
            var apicReadsL2: UInt64
            var emulatedByL1: UInt64
        }
        var perVcpu: [Guest]
    }

    static let all = BundledRecording.all(below: "intel")
    static let withAllEvents = all.filter { !$0.scenario.hasSuffix("4ev") }

    /// The scenarios' grades by design section 5; a `nofix` twin is named where it differs.
    static let grades: [String: Grade] = [
        "plain-l1": .clean, "plain-l1-2v": .clean, "inhibit": .clean, "inhibit-4ev": .clean, "no-apicv": .clean,
        "no-apicv-4ev": .clean, "no-apicv-stale-svi": .clean, "hooked-only": .clean, "hooked-only-4ev": .inconclusive,
        "passthrough": .exposed, "passthrough-4ev": .exposed, "passthrough-2v": .exposed,
        "passthrough-2v-4ev": .exposed, "all-passthrough": .exposed, "nofix-passthrough-4ev": .exposed,
        "stale-svi-set": .exposed, "stale-svi": .hazard, "stale-svi-recheck": .hazard, "nofix-stale-svi": .hazard,
        "nofix-stale-svi-recheck": .hazard, "nofix-stale-svi-4ev": .inconclusive, "nofix-hooked-only": .confirmed,
        "nofix-passthrough": .confirmed,
    ]

    @Test(arguments: all) func `the grade fits what the guest lost`(_ recording: BundledRecording) throws {
        let report = try recording.report()
        #expect(report.verdict == Self.grades[recording.scenario])
        let lost = Set(try truth(of: recording).perVcpu.flatMap(\.timeouts.keys))
        // What blocks the others was received, and then never ended: the guest lost all that it sent of it later.
        let named = Set(report.findings.filter { $0.grade >= .suspect }.flatMap { $0.vectors + $0.stuck })
        #expect(report.verdict == .confirmed ? named == lost : named.isEmpty)
    }

    @Test(arguments: withAllEvents) func `accesses of L2 are those that the guest made`(_ recording: BundledRecording)
        throws
    {
        for (vcpu, guest) in try pairs(recording) {
            let (direct, hooked) = (vcpu.apicAccess.l2Direct, vcpu.apicAccess.l2Hooked)
            #expect(hooked.total == guest.emulatedByL1)
            #expect((direct.reads ?? 0) + (hooked.reads ?? 0) == guest.apicReadsL2)
            #expect((direct.writes ?? 0) + (hooked.writes ?? 0) == guest.apicWritesL2)
            #expect(direct.registers.values.reduce(0) { $0 + $1.reads + $1.writes } == direct.total)
        }
    }

    @Test(arguments: withAllEvents) func `L2's EOIs are ended by L2 or handed to L1`(_ recording: BundledRecording)
        throws
    {
        for (vcpu, guest) in try pairs(recording) {
            let ended = vcpu.interrupts.reduce(0) { $0 + ($1.ended.l2 ?? 0) }
            let handed = vcpu.apicAccess.l2Hooked.registers["EOI"]?.writes ?? 0
            #expect(ended + handed == guest.eoiByL2)
        }
    }

    @Test(arguments: withAllEvents) func `what L2 received is what was acknowledged there`(
        _ recording: BundledRecording
    )
        throws
    {
        for (vcpu, guest) in try pairs(recording) {
            #expect(vcpu.acknowledged(\.l2) == guest.recvL2)
            // L1's own go by in silence as far as hardware delivers them.
            for (vector, count) in vcpu.acknowledged(\.l1) {
                #expect(count <= guest.recvL1[vector] ?? 0)
            }
        }
    }

    @Test(arguments: withAllEvents) func `no vector is accepted oftener than it was sent`(_ recording: BundledRecording)
        throws
    {
        let pairs = try pairs(recording)
        var sent: [String: UInt64] = [:]
        var accepted: [String: UInt64] = [:]
        for (vcpu, guest) in pairs {
            sent.merge(guest.sent, uniquingKeysWith: +)
            for line in vcpu.interrupts { accepted[line.vector, default: 0] += line.accepted.total }
        }
        for (vector, count) in accepted { #expect(count <= sent[vector] ?? 0) }
    }

    @Test(arguments: all.filter { $0.scenario.hasPrefix("no-apicv") && !$0.scenario.hasSuffix("4ev") })
    func `without APICv nothing is silent`(_ recording: BundledRecording) throws {
        for (vcpu, guest) in try pairs(recording) {
            #expect(vcpu.acknowledged(\.l1) == guest.recvL1)
            let accepted = vcpu.interrupts.filter { $0.accepted.total > 0 }.map { ($0.vector, $0.accepted.total) }
            #expect(Dictionary(uniqueKeysWithValues: accepted) == guest.sent)
            guard vcpu.apicAccess.l2Hooked.total == 0 else { continue }
            #expect(vcpu.apicAccess.l1.reads == guest.apicReadsL1)
            #expect(vcpu.apicAccess.l1.writes == guest.apicWritesL1)
            #expect(vcpu.interrupts.reduce(0) { $0 + ($1.ended.l1 ?? 0) } == guest.eoiByL1)
        }
    }

    @Test(arguments: all.filter { $0.scenario.hasPrefix("inhibit") })
    func `inhibits are set and cleared under their own names`(_ recording: BundledRecording) throws {
        let timeline = try #require(try recording.report().vms.first?.apicv)
        // 6.1 forgets neither a changed APIC id nor a moved base; 6.12 forgets the former.
        let sixOne = recording.name.contains("6.1.192")
        let expected: [[String]] =
            sixOne
            ? [["ABSENT"], [], ["BLOCKIRQ"], [], ["APIC_ID_MODIFIED"], ["APIC_ID_MODIFIED", "APIC_BASE_MODIFIED"]]
            : [["ABSENT"], [], ["BLOCKIRQ"], [], ["APIC_ID_MODIFIED"], [], ["APIC_BASE_MODIFIED"]]
        #expect(timeline.map(\.inhibits) == expected)
        #expect(timeline.map(\.state) == expected.map { $0.isEmpty ? .active : .inhibited })
        #expect(zip(timeline, timeline.dropFirst()).allSatisfy { $0.to == $1.from })
    }

    private func truth(of recording: BundledRecording) throws -> Truth {
        try recording.truth("\(recording.scenario).GROUND_TRUTH.json", as: Truth.self)
    }

    private func pairs(_ recording: BundledRecording) throws -> [(vcpu: Report.VCPU, guest: Truth.Guest)] {
        let vms = try recording.report().vms
        #expect(vms.count == 1)
        let vcpus = vms.flatMap(\.vcpus).sorted { ($0.id ?? -1) < ($1.id ?? -1) }
        let guests = try truth(of: recording).perVcpu
        #expect(vcpus.map(\.id) == guests.indices.map(Int32.init))
        return Array(zip(vcpus, guests))
    }
}
