// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct ComparisonJSONTests {
    private let comparison = Comparison(SampleReports.losing, SampleReports.sound)

    private func complaints(_ json: String) throws -> String? {
        try SchemaValidator.complaints(about: json, schema: Comparison.schema)
    }

    @Test func `a comparison satisfies its schema, and so does what stands in its place`() throws {
        let named = SampleReports.losing.with { $0.findings[0].vectors = ["0x41"] }.addingVM { $0.command = "other" }
        let lines = [
            try comparison.line(), try Comparison(SampleReports.sound, SampleReports.sound).line(),
            try Comparison(named, SampleReports.sound).line(), try Comparison(SampleReports.sound, named).line(),
            try comparison.outcomeObject(), try Comparison.failure(path: "-", error: "standard input: empty"),
        ]
        #expect(try SchemaValidator.complaints(about: lines, schema: Comparison.schema) == nil)
        #expect(lines.allSatisfy { !$0.contains("\n") })
    }

    @Test func `it is read back as it was written, and written again as the same bytes`() throws {
        let json = try comparison.line()
        #expect(try Comparison(json: json) == comparison)
        #expect(try Comparison(json: json).line() == json)
    }

    @Test func `an outcome is short`() throws {
        let text = comparison.outcomeLine
        #expect(
            try comparison.outcomeObject()
                == #"{"a":"losing.dat","b":"sound.dat","outcome":"better","schemaVersion":"1.0","text":"\#(text)","type":"outcome"}"#
        )
    }

    @Test func `every key of the schema is required`() throws {
        // Those of the report's definitions that a comparison has no use for are in it, too.
        let optional = try SchemaValidator.optionalKeys(of: Comparison.schema)
        #expect(optional.subtracting(["endedVMs", "eventsLost", "inhibitOnL2Access", "ofVMs", "process"]).isEmpty)
    }

    @Test func `every case of every enum satisfies the schema`() throws {
        var lines: [String] = []
        for outcome in Comparison.Outcome.allCases {
            var all = comparison
            all.outcome = outcome
            lines.append(try all.line())
        }
        var all = Comparison(SampleReports.sound, SampleReports.exposed)
        let (finding, vm) = (comparison.findings[0], all.vms[0])
        all.findings = Comparison.Change.allCases.flatMap { change in
            Comparison.Effect.allCases.map { effect in
                var finding = finding
                (finding.change, finding.effect) = (change, effect)
                return finding
            }
        }
        all.vms = Comparison.VMMatch.allCases.map { match in
            var vm = vm
            vm.matchedBy = match
            vm.vcpus = Comparison.VCPUMatch.allCases.map { match in
                var vcpu = vm.vcpus[0]
                vcpu.matchedBy = match
                vcpu.interrupts = Comparison.Fate.allCases.map {
                    .init(vector: "0x41", a: .init(fate: $0, ledger: nil), b: nil)
                }
                return vcpu
            }
            vm.exits = Comparison.ExitLevel.allCases.map {
                .init(level: $0, reason: nil, a: nil, b: .init(count: 1, perSecond: 0.5))
            }
            vm.apicAccess = Comparison.AccessKind.allCases.map { .init(kind: $0, register: "EOI", a: nil, b: .init()) }
            return vm
        }
        all.observations = Observation.Kind.allCases.map { .init(kind: $0, a: 0, b: 1) }
        lines.append(try all.line())
        #expect(try SchemaValidator.complaints(about: lines, schema: Comparison.schema) == nil)
    }

    /// What a careless change would do to a comparison, and the place that the validator then names.
    @Test(arguments: [
        (#""outcome":"better""#, #""outcome":"fine""#, "$.outcome"),
        (#""schemaVersion":"1.0","#, "", "'schemaVersion' is a required property"),
        (#""schemaVersion":"1.0","#, #""schemaVersion":"1.0","more":0,"#, "Additional properties"),
        (#""change":"gone""#, #""change":"lost""#, "$.findings[0].change"),
        (#""matchedBy":"process""#, #""matchedBy":"luck""#, "$.vms[0].matchedBy"),
        (#""fate":"lost""#, #""fate":"found""#, "$.vms[0].vcpus[0].interrupts[0].a.fate"),
        (#""type":"comparison""#, #""type":"report""#, "$.type"),
        (#""doubts":[],"duration""#, #""duration""#, "'doubts' is a required property"),
    ])
    func `a wrong comparison does not satisfy the schema`(right: String, wrong: String, complaint: String) throws {
        let json = try comparison.line()
        try #require(json.contains(right))
        let complaints = try complaints(json.replacing(right, with: wrong))
        #expect(complaints?.contains(complaint) == true, "\(complaints ?? "no complaint")")
    }
}
