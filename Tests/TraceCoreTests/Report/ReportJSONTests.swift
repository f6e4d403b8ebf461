// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct ReportJSONTests {
    @Test func `what is not known is written as null`() throws {
        let line = Report.InterruptLine(
            vector: Hex.vector(0x41), accepted: .init(l1: 2, l2: 0, unknown: nil),
            acknowledged: .init(l1: nil, l2: nil, unknown: nil), reinjected: 0,
            ended: .init(l1: nil, l2: nil, unknown: nil), coalesced: nil, outstanding: nil, class: nil)
        var report = SampleReports.clean
        report.vms[0].vcpus[0].interrupts = [line]
        #expect(
            try report.json().contains(
                """
                          "interrupts" : [
                            {
                              "accepted" : {
                                "l1" : 2,
                                "l2" : 0,
                                "unknown" : null
                              },
                              "acknowledged" : {
                                "l1" : null,
                                "l2" : null,
                                "unknown" : null
                              },
                              "class" : null,
                              "coalesced" : null,
                              "ended" : {
                                "l1" : null,
                                "l2" : null,
                                "unknown" : null
                              },
                              "outstanding" : null,
                              "reinjected" : 0,
                              "vector" : "0x41"
                            }
                          ],
                """))
    }

    @Test func `a report survives the way through JSON`() throws {
        let json = try SampleReports.lost.json()
        #expect(try Report(json: json) == SampleReports.lost)
        #expect(try Report(json: json).json() == json)
        #expect(json.contains(#""https://git.kernel.org/linus/04bc93cf49d1""#))
    }

    @Test func `ICR bits 10 to 8 name the delivery mode`() {
        let words: [UInt32] = [0x41, 0x141, 0x200, 0x300, 0x400, 0xc500, 0x600, 0x700]
        let modes = words.map { DeliveryMode(icrLow: $0).rawValue }
        #expect(modes == ["fixed", "lowest", "smi", "remrd", "nmi", "init", "sipi", "extint"])
    }

    @Test func `vectors have two digits, other numbers none to spare`() {
        #expect(Hex.vector(0) == "0x00")
        #expect(Hex.vector(0xec) == "0xec")
        #expect(Hex.string(0) == "0x0")
        #expect(Hex.string(.max) == "0xffffffffffffffff")
    }
}
