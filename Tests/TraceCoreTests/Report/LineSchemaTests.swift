// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct LineSchemaTests {
    private let summary = Report.Summary(
        time: 1_000_000_000, verdict: .exposed, events: 12, perSecond: 12, dropped: 0, vms: 1, vcpus: 2)

    @Test func `each line of live has a type and satisfies the line schema`() throws {
        let lines = [try SampleReports.lost.findings[0].line(), try summary.line(), try SampleReports.lost.line()]
        #expect(try SchemaValidator.complaints(about: lines, schema: Report.lineSchema) == nil)
        for (line, type) in zip(lines, ["finding", "summary", "report"]) {
            #expect(line.contains("\"type\":\"\(type)\""))
            #expect(!line.contains("\n"))
        }
    }

    @Test func `a summary line is short`() throws {
        #expect(
            try summary.line()
                == #"{"dropped":0,"events":12,"perSecond":12,"time":1000000000,"type":"summary","vcpus":2,"verdict":"exposed","vms":1}"#
        )
    }

    @Test func `live's report is one as a file's is, and its other lines are none`() throws {
        let line = try SampleReports.lost.line()
        #expect(try SchemaValidator.complaints(about: line, schema: Report.lineSchema) == nil)
        #expect(try SchemaValidator.complaints(about: line) == nil)
        #expect(try SchemaValidator.complaints(about: summary.line())?.contains("'summary' is not one of") == true)
        let error = try Report.Failure(path: "a.dat", error: "a.dat: empty").line()
        #expect(try SchemaValidator.complaints(about: error, schema: Report.lineSchema) != nil)
    }

    @Test(arguments: [
        (#""type":"summary""#, #""type":"sum""#), (#""vms":1"#, #""vms":-1"#), (#""vms":1"#, #""vms":1,"more":0"#),
        (#""dropped":0,"#, ""), (#""exposed""#, #""fine""#),
    ])
    func `a wrong line does not satisfy the line schema`(right: String, wrong: String) throws {
        let line = try summary.line()
        try #require(line.contains(right))
        let complaints = try SchemaValidator.complaints(
            about: line.replacing(right, with: wrong), schema: Report.lineSchema)
        #expect(complaints != nil)
    }
}
