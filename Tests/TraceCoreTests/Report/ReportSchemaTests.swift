// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct ReportSchemaTests {
    @Test(arguments: [SampleReports.lost, SampleReports.clean])
    func `a report satisfies the schema`(report: Report) throws {
        #expect(try SchemaValidator.complaints(about: report.json()) == nil)
    }

    @Test func `so does one with keys that are there only where a VM lost events`() throws {
        var report = SampleReports.clean
        report.loss = .init(
            known: 12, unknownGaps: 0, overrun: 12, ofVMs: 12, gapsTotal: 1,
            gaps: [.init(instance: 0, cpu: 1, process: 214, from: 5, to: 9, events: 12)])
        report.vms[0].eventsLost = 12
        #expect(try SchemaValidator.complaints(about: report.json()) == nil)
        #expect(try Report(json: report.json()) == report)
        #expect(try !SampleReports.clean.json().contains(/eventsLost|ofVMs|process/))
    }

    /// What is required a report that lacks it is refused for; what nobody writes would be required of nobody.
    @Test func `each key of the schemas is required, or written where it means something`() throws {
        var report = SampleReports.clean
        report.loss.ofVMs = 12
        report.loss.gaps = [.init(instance: 0, cpu: 1, process: 214, from: 5, to: 9, events: 12)]
        report.vms[0].eventsLost = 12
        report.host.inhibitOnL2Access = .init(name: "L2_PASSTHROUGH_ACCESS", bit: 7)
        report.whatIf = .init(
            policy: .inhibitOnL2Access,
            vms: [
                .init(
                    vm: 0, outcome: .inhibited,
                    trigger: .init(time: 1, cpu: nil, tid: nil, event: "kvm_mmio", text: ""),
                    isLate: true, l2Direct: .init(reads: 1, writes: 0, registers: [:]),
                    findings: [.init(id: "F1", path: .before)],
                    cost: .init(
                        duration: nil, exits: 1, accepted: 1, coalesced: 0, eoiExits: 1, deliveryExits: 0))
            ], limits: ["-"])
        let none = Report.LevelCounts(l1: 0, l2: 0, unknown: 0)
        report.endedVMs = .init(
            vms: 1, vcpus: 1, exits: .init(), apicAccess: report.vms[0].vcpus[0].apicAccess, ipisSent: 0,
            accepted: none, acknowledged: none, ended: none)
        let json = try report.json()
        #expect(try SchemaValidator.complaints(about: json) == nil)
        for schema in [Report.schema, Report.lineSchema] {
            let optional = try SchemaValidator.optionalKeys(of: schema)
            #expect(optional == ["endedVMs", "eventsLost", "inhibitOnL2Access", "ofVMs", "process", "whatIf"])
            #expect(optional.allSatisfy { json.contains("\"\($0)\"") })
        }
        #expect(try SchemaValidator.optionalKeys(of: EventListing.schema) == ["process"])
    }

    @Test func `so do what stands in a report's place, and a report in one line`() throws {
        let objects = [
            try SampleReports.lost.line(), try SampleReports.clean.verdictObject(),
            try Report.Failure(path: "-", error: "standard input: empty").line(),
        ]
        #expect(try SchemaValidator.complaints(about: objects) == nil)
        #expect(objects.allSatisfy { !$0.contains("\n") })
    }

    @Test func `every case of every enum satisfies the schema`() throws {
        var report = SampleReports.lost
        let line = report.vms[0].vcpus[0].interrupts[0]
        report.findings = Grade.allCases.flatMap { grade in
            RuleID.allCases.map { rule in
                var finding = report.findings[0]
                (finding.grade, finding.rule) = (grade, rule)
                return finding
            }
        }
        report.vms[0].vcpus[0].interrupts = InterruptClass.allCases.map {
            var line = line
            line.class = $0
            return line
        }
        report.vms[0].vcpus[0].ipis = DeliveryMode.allCases.map {
            .init(dest: 0xff, vector: "0xec", mode: $0, count: 1)
        }
        report.vms[0].apicv = APICvTimeline.State.allCases.map {
            .init(from: 0, to: 0, state: $0, mask: "0x1000", inhibits: [], inferred: false, setBy: nil)
        }
        report.observations = Observation.Kind.allCases.map {
            .init(kind: $0, vm: nil, vcpu: nil, vector: nil, first: 0, last: 0, count: 0, text: "-")
        }
        report.reasons = ["No L2 ran."]
        report.selection = .init(vm: 2104, vcpu: nil, vms: ["process 2104"], vcpus: [], from: 0, to: nil)
        for unit in TraceClock.Unit.allCases {
            report.source.clock.unit = unit
            #expect(try SchemaValidator.complaints(about: report.json()) == nil)
        }
        let (isas, states) = (ISA.allCases, FixState.State.allCases)
        for (index, basis) in FixState.Basis.allCases.enumerated() {
            report.host.isa = isas[index % isas.count]
            report.host.sviFix = .init(state: states[index % states.count], basis: basis, evidence: "")
            #expect(try SchemaValidator.complaints(about: report.json()) == nil)
        }
    }

    /// What a careless change would do to a report, and the place that the validator then names.
    @Test(arguments: [
        (#""vector" : "0x30""#, #""vector" : "0x3O""#, "$.vms[0].vcpus[0].interrupts[0].vector"),
        (#""vector" : "0x30""#, #""vector" : 48"#, "$.vms[0].vcpus[0].interrupts[0].vector"),
        (#""verdict" : "confirmed""#, #""verdict" : "certain""#, "$.verdict"),
        (#""schemaVersion" : "1.3","#, "", "$: 'schemaVersion' is a required property"),
        (#""schemaVersion" : "1.3","#, #""schemaVersion" : "1.3", "extra": 1,"#, "$: Additional properties"),
        (#""schemaVersion" : "1.3","#, #""schemaVersion" : "1.0","#, "$.schemaVersion"),
        (#""kind" : "storm""#, #""kind" : "A storm""#, "$.observations[0].kind"),
        (#""stuck" : ["#, #""stuck" : [ 48, "#, "$.findings[0].stuck"),
        (#""reasons" : ["#, #""grounds" : ["#, "$: 'reasons' is a required property"),
        (#""selection" : null,"#, #""selection" : {"vm": 1},"#, "$.selection"),
        (#""recordCommand" : "trace-cmd"#, #""recordCommand" : "reboot; trace-cmd"#, "$.recordCommand"),
        (#""type" : "report""#, #""kind" : "report""#, "$: 'type' is a required property"),
        (#""cut" : null,"#, "", "$.source: 'cut' is a required property"),
        (#""unexplained""#, #""lost""#, "$.vms[0].vcpus[0].interrupts[0].class"),
        (#""mask" : "0x0""#, #""mask" : "0X0""#, "$.vms[0].apicv[0].mask"),
        (#""base" : "38514727000""#, #""base" : 38514727000"#, "$.source.span.base"),
        (#""outstanding" : 399"#, #""outstanding" : -1"#, "$.vms[0].vcpus[0].interrupts[0].outstanding"),
    ])
    func `a wrong report does not satisfy the schema`(right: String, wrong: String, complaint: String) throws {
        let json = try SampleReports.lost.json()
        try #require(json.contains(right))
        let complaints = try SchemaValidator.complaints(about: json.replacing(right, with: wrong))
        #expect(complaints?.contains(complaint) == true, "\(complaints ?? "no complaint")")
    }
}
