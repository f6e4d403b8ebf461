// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct RecordingSchemaTests {
    @Test func `every recording's report validates against the schema`() throws {
        let recordings =
            BundledRecording.all(below: "intel") + BundledRecording.all(below: "amd")
            + BundledRecording.all(below: "bitvisor")
        let reports = try recordings.map { try $0.report().json() }
        #expect(reports.count > 50)
        #expect(try SchemaValidator.complaints(about: reports) == nil)
    }
}
