// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct RecordingNameTests {
    /// 28 November 2026, 02:50:28 UTC.
    private let moment: Int64 = 1_795_834_228

    private func name(_ seconds: Int64, after latest: String? = nil) throws -> String {
        let latest = try latest.map { try #require(RecordingName($0)) }
        return try #require(RecordingName(at: seconds, after: latest)).description
    }

    @Test func `the first name has the time of day in UTC and the number 1`() throws {
        #expect(try name(moment) == "apictrace-20261128T025028Z-000001.dat")
        #expect(try name(0) == "apictrace-19700101T000000Z-000001.dat")
    }

    @Test func `names in the order of their letters are in the order of time, whatever the clock does`() throws {
        var names: [String] = []
        for step in [0, 1, 0, -7200, -7199, 3, -86400 * 400, 60] as [Int64] {
            names.append(try name(moment + step, after: names.last))
        }
        #expect(names == names.sorted())
        #expect(Set(names).count == names.count)
        #expect(names[3] == "apictrace-20261128T025029Z-000004.dat")
        #expect(names.last == "apictrace-20261128T025128Z-000008.dat")
    }

    @Test func `after the last number the first comes again, with a later stamp alone`() throws {
        let last = "apictrace-20261128T025028Z-999999.dat"
        #expect(try name(moment + 1, after: last) == "apictrace-20261128T025029Z-000001.dat")
        #expect(RecordingName(at: moment, after: RecordingName(last)) == nil)
    }

    @Test(arguments: [
        "trace.dat", "apictrace-20261128T025028Z-000001.dat.1", "apictrace-20261128T025028Z-1.dat",
        "apictrace-20261128T025028Z-+00001.dat", "apictrace-20261128T025028-000001.dat", "apictrace--000001.dat",
        "apictrace-20261128 025028Z-000001.dat", "apictrace-20261128T025028Z-000001-a.dat", "apictrace-.dat", "",
        "apictrace-２0261128T025028Z-000001.dat", "my-apictrace-20261128T025028Z-000001.dat",
    ])
    func `a name of another's making is none of ours`(name: String) {
        #expect(RecordingName(name) == nil)
    }
}
