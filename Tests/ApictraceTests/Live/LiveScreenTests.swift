// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceCore

@testable import apictrace

@Suite struct LiveScreenTests {
    private let moment = LiveMoment(
        time: 12_345_678_900, hits: 1_234_567, perSecond: 152_300, dropped: 0,
        vms: [
            .init(
                name: "qemu-system-x86 (pid 214)", apicv: "active", since: 1_200_000_000,
                vcpus: [
                    .init(
                        id: 0, tid: 216, level: .l2, isHalted: false,
                        troubled: [.init(vector: 0x30, accepted: 401, acknowledged: 1, ended: 1)]),
                    .init(id: 1, tid: 217, level: .l1, isHalted: true, troubled: []),
                ],
                accesses: [
                    .init(path: "L2 direct", registers: [("EOI", 0, 12_000), ("ISR", 8, 0), ("TPR", 2, 1)])
                ])
        ],
        findings: [
            .init(
                grade: .confirmed, rule: .staleSVI, place: "vCPU 0 of qemu-system-x86 (pid 214)", vectors: [0x30],
                since: 3_400_000_000, statement: "Vector 0x30 was lost."),
            .init(
                grade: .exposed, rule: .l2APICDirect, place: "vCPU 0 of qemu-system-x86 (pid 214)", vectors: [],
                since: 2_000_000_000, statement: "L2 reached L1's local APIC by itself."),
        ], verdict: .confirmed)

    private func screen(_ width: Int, _ height: Int, colour: Bool = false) -> String {
        LiveScreen(width: width, height: height, style: TextStyle(colour: colour)).lines(moment).joined(separator: "\n")
    }

    @Test func `a large terminal shows it all`() {
        #expect(
            screen(110, 30) == """
                CONFIRMED 12.3 s, 1 VM, 2 vCPUs, 152k events/s, 1.2M events, 0 dropped
                confirmed stale-svi, vCPU 0 of qemu-system-x86 (pid 214): 0x30 since +3.4 s. Vector 0x30 was lost.
                exposed l2-apic-direct, vCPU 0 of qemu-system-x86 (pid 214): since +2.0 s. L2 reached L1's local APIC by itsel
                qemu-system-x86 (pid 214)  APICv active since +1.2 s
                  APIC accesses, L2 direct: EOI 12kw  ISR 8r  TPR 2r/1w
                  vCPU 0, thread 216, in L2
                    0x30 accepted 401, acknowledged 1, ended 1
                  vCPU 1, thread 217, in L1, halted
                """)
    }

    @Test func `a narrow and short one is never overrun, and findings come first`() {
        #expect(
            screen(30, 5) == """
                CONFIRMED 12.3 s, 1 VM, 2 vCPU
                confirmed stale-svi, vCPU 0 of
                and 1 more findings
                qemu-system-x86 (pid 214)  API
                and 4 more lines on a higher t
                """)
        #expect(screen(4, 1) == "CONF")
        #expect(screen(0, 0) == "")
        for (width, height) in [(1, 1), (3, 2), (7, 3), (20, 4), (80, 6)] {
            let lines = LiveScreen(width: width, height: height, style: TextStyle()).lines(moment)
            #expect(lines.count <= height)
            #expect(lines.allSatisfy { $0.count <= width })
        }
    }

    @Test func `colour adds no columns`() {
        #expect(screen(12, 2, colour: true) == "\u{1b}[31;1mCONFIRMED\u{1b}[0m 12\n\u{1b}[31;1mconfirmed\u{1b}[0m st")
    }

    @Test func `what a guest's process is called can't command the terminal`() {
        var moment = moment
        moment.vms[0].name = "\u{1b}[2Jqemu\n"
        let lines = LiveScreen(width: 60, height: 10, style: TextStyle()).lines(moment)
        #expect(lines[3] == #"\x1b[2Jqemu\x0a  APICv active since +1.2 s"#)
    }

    @Test(
        arguments: [
            (0, "0"), (9999, "9999"), (10_000, "10k"), (99_999, "99k"), (152_300, "152k"), (1_234_567, "1.2M"),
            (45_678_901, "45M"), (12_345_678_901, "12G"), (UInt64.max, "18E"),
        ] as [(UInt64, String)])
    func `numbers have four digits at most`(number: UInt64, text: String) {
        #expect(LiveScreen.short(number) == text)
    }
}
