// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing
import TraceCore

@testable import apictrace

@Suite struct LiveScreenTests {
    private let moment = LiveMoment(
        time: 12_345_678_900, hits: 1_234_567, perSecond: 152_300, dropped: 0,
        vms: [
            .init(
                id: 0, grade: .confirmed, runsL2: true, perSecond: 152_300, name: "qemu-system-x86 (pid 214)",
                apicv: "active", since: 1_200_000_000,
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

    @Test func `what a VM lost stands beside it, whole or in a line`() {
        var moment = moment
        moment.vms[0].dropped = 12_345
        for height in [24, 6] {
            let lines = LiveScreen(width: 120, height: height, style: TextStyle()).lines(moment)
            #expect(
                lines.contains { $0.contains("qemu-system-x86 (pid 214)  ") && $0.hasSuffix(", 152k/s, 12k dropped") })
        }
    }

    @Test func `a large terminal shows it all`() {
        #expect(
            screen(110, 30) == """
                CONFIRMED 12.3 s, 1 VM, 2 vCPUs, 152k events/s, 1.2M events, 0 dropped
                confirmed stale-svi, vCPU 0 of qemu-system-x86 (pid 214): 0x30 since +3.4 s. Vector 0x30 was lost.
                exposed l2-apic-direct, vCPU 0 of qemu-system-x86 (pid 214): since +2.0 s. L2 reached L1's local APIC by itsel
                qemu-system-x86 (pid 214)  APICv active since +1.2 s, 152k/s
                  APIC accesses, L2 direct: EOI 12kw  ISR 8r  TPR 2r/1w
                  vCPU 0, thread 216, in L2
                    0x30 accepted 401, acknowledged 1, ended 1
                  vCPU 1, thread 217, in L1, halted
                ^C ends it, with the report
                """)
    }

    @Test func `a narrow and short one is never overrun, and findings come first`() {
        #expect(
            screen(30, 5) == """
                CONFIRMED 12.3 s, 1 VM, 2 vCPU
                confirmed stale-svi, vCPU 0 of
                and 1 more findings
                  qemu-system-x86 (pid 214)  c
                ^C ends it, with the report
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
        #expect(lines[3] == #"\x1b[2Jqemu\x0a  APICv active since +1.2 s, 152k/s"#)
    }

    @Test(
        arguments: [
            (0, "0"), (9999, "9999"), (10_000, "10k"), (99_999, "99k"), (152_300, "152k"), (1_234_567, "1.2M"),
            (45_678_901, "45M"), (12_345_678_901, "12G"), (UInt64.max, "18E"),
        ] as [(UInt64, String)])
    func `numbers have four digits at most`(number: UInt64, text: String) {
        #expect(LiveScreen.short(number) == text)
    }

    /// Many VMs: the ones asked for run L2, are busy or idle.
    private func crowd(idle: Int, busy: Int, nested: Int = 0) -> LiveMoment {
        var moment = moment
        moment.findings = []
        moment.vms = (0..<(idle + busy + nested)).map { number in
            .init(
                id: number, grade: nil, runsL2: number >= idle + busy, perSecond: number < idle ? 0 : 1000,
                name: "web\(number) (pid \(1000 + number))", apicv: "active", since: nil,
                vcpus: [.init(id: 0, tid: Int32(1000 + number), level: .l1, isHalted: false, troubled: [])],
                accesses: [])
        }
        moment.vms.sort { LiveMoment.VM.ranks($0, before: $1) }
        return moment
    }

    @Test func `findings come before L2, that before activity, and idle VMs last`() {
        var vms = crowd(idle: 1, busy: 1, nested: 1).vms
        vms[2].grade = .exposed
        #expect(vms.sorted { LiveMoment.VM.ranks($0, before: $1) }.map(\.id) == [0, 2, 1])
        vms[1].perSecond = 100_000
        vms[0].runsL2 = false
        #expect(vms.sorted { LiveMoment.VM.ranks($0, before: $1) }.map(\.id) == [0, 1, 2])
    }

    @Test(arguments: [(32, 80, 24), (200, 80, 24), (200, 200, 50)])
    func `the busy VMs of many are in sight, and idle ones take a line`(idle: Int, width: Int, height: Int) {
        let lines = LiveScreen(width: width, height: height, style: TextStyle()).lines(
            crowd(idle: idle, busy: 2, nested: 1))
        #expect(lines.count <= height)
        #expect(lines[1].hasPrefix("web\(idle + 2) (pid "))
        #expect(lines.contains { $0.hasPrefix("web\(idle) (pid ") })
        #expect(lines[lines.count - 2].hasPrefix("  \(idle) idle VMs: web0 (pid 1000), web1 (pid 1001)"))
    }

    @Test func `VMs that have not run yet are counted among the idle ones`() {
        var moment = crowd(idle: 2, busy: 1)
        moment.parked = ["web7 (pid 7)", "web8 (pid 8)"]
        let lines = LiveScreen(width: 120, height: 24, style: TextStyle()).lines(moment)
        #expect(lines[0].contains(" 5 VMs, 3 vCPUs, "))
        #expect(
            lines[lines.count - 2]
                == "  4 idle VMs, 2 of them not run yet: web0 (pid 1000), web1 (pid 1001), web7 (pid 7), web8 (pid 8)")
        moment.vms = []
        let alone = LiveScreen(width: 120, height: 24, style: TextStyle()).lines(moment)
        #expect(alone[1] == "  2 idle VMs, not run yet: web7 (pid 7), web8 (pid 8)")
    }

    @Test func `keys choose a VM, show it alone, pause and say what they do`() {
        let moment = crowd(idle: 0, busy: 40)
        var view = LiveScreen.View(hasKeys: true)
        func lines() -> [String] {
            LiveScreen(width: 80, height: 24, style: TextStyle(), view: view).lines(moment)
        }
        #expect(lines().last == "q quit, with the report   p pause   arrows choose a VM   Enter its detail")
        #expect(lines().count == 24)
        #expect(lines()[22] == "  and 19 more VMs: arrow keys")
        for _ in 0..<31 { view.press(.down, moment) }
        #expect(lines().contains { $0.hasPrefix("> web30 (pid 1030)  APICv active, 1 vCPU, 1000/s") })
        view.press(.enter, moment)
        #expect(lines()[1...2] == ["web30 (pid 1030)  APICv active, 1000/s", "  vCPU 0, thread 1030, in L1"])
        view.press(.up, moment)
        #expect(lines()[1].hasPrefix("web29 "))
        view.press(.back, moment)
        view.press(.pause, moment)
        #expect(lines()[0].hasPrefix("CONFIRMED PAUSED, as it was at 12.3 s"))
        #expect(lines().last?.contains("p go on") == true)
    }

    @Test func `keys come as letters and as a terminal's sequences`() {
        #expect(Keyboard.keys(Array("qp \rjk".utf8)) == [.quit, .pause, .pause, .enter, .down, .up])
        #expect(Keyboard.keys(Array("\u{1b}[A\u{1b}OB\u{1b}[1;5A\u{1b}[5~x".utf8)) == [.up, .down, .up])
        #expect(Keyboard.keys([0x1b]) == [.back])
    }

    @Test(
        arguments: [
            (["qemu", "-name", "guest=web01,debug-threads=on"], "web01"), (["qemu", "-name", "web01"], "web01"),
            (["qemu", "-name", "debug-threads=on"], nil), (["qemu", "-name"], nil), (["crosvm", "run"], nil),
            (["qemu", "-name", "web01,process=x"], "web01"),
        ] as [([String], String?)])
    func `a guest's name is QEMU's`(arguments: [String], name: String?) {
        #expect(GuestName.parse(arguments) == name)
    }

    @Test func `a key is reported also where draining takes all of the time`() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var loop = try EventLoop(drainEvery: 1, for: nil, reading: ends[0], catching: [])
        #expect(try loop.next() == .drain)
        #expect(write(ends[1], "q", 1) == 1)
        #expect(try loop.next() == .input)
        loop.forgetInput()
        #expect(try loop.next() == .drain)
    }
}
