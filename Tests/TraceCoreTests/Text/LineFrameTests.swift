// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What stands around an event's text, column by column.
@Suite struct LineFrameTests {
    struct Line: CustomTestStringConvertible, Sendable {
        var line: String
        var name = "kvm_eoi"
        var time: UInt64? = 11_589_558_000
        var isBare = false
        var thread: Int32? = 219
        var process: Int32?
        var cpu: Int32? = 3
        var isHard = false
        var command = "qemu"

        var testDescription: String { line }
    }

    private static let lines = [
        // trace-cmd report
        Line(line: "            qemu-219   [003]    11.589558: kvm_eoi:              apicid 0 vector 97"),
        Line(line: "            qemu-219   [003] 11.589558000: kvm_eoi:              apicid 0 vector 97"),
        Line(line: "            qemu-219   [003] d..1.    11.589558: kvm_eoi: apicid 0 vector 97"),
        Line(line: "            qemu-219   [003] d.h1.    11.589558: kvm_eoi: apicid 0 vector 97", isHard: true),
        Line(line: "    qemu-219     3d..1.    11.589558: kvm_eoi:              apicid 0 vector 97"),
        Line(line: "qemu-219     3d.h1.    11.589558: kvm_eoi: apicid 0 vector 97", isHard: true),
        Line(line: "            qemu-219   [003]    11.589558: (+36454) kvm_eoi:   apicid 0 vector 97"),
        Line(line: "one:            qemu-219   [003]    11.589558: kvm_eoi: apicid 0 vector 97"),
        Line(line: "win.dat:  qemu-219   [003]    11.589558: kvm_eoi: apicid 0 vector 97"),
        Line(line: "            qemu-219   [003]70049107361: kvm_eoi: x", time: 70_049_107_361, isBare: true),
        Line(line: "            qemu-219   [003] 70049107361: kvm_eoi: x", time: 70_049_107_361, isBare: true),
        Line(line: " qemu-219   [003] 96822671.255015: kvm_eoi: x", time: 96_822_671_255_015_000),
        // tracefs
        Line(line: "            qemu-219     [003] .....    11.589558: kvm_eoi: apicid 0 vector 97"),
        Line(line: "            qemu-219     [003] ....    11.589558: kvm_eoi: apicid 0 vector 97"),
        Line(line: "            qemu-219     [003] dN.2    11.589558: kvm_eoi: apicid 0 vector 97"),
        Line(line: "            qemu-219     [003] dNH3.    11.589558: kvm_eoi: apicid 0 vector 97", isHard: true),
        Line(line: "            qemu-219     [003]    11.589558: kvm_eoi: apicid 0 vector 97"),
        Line(line: "            qemu-219     (    212) [003] ..... 11.589558: kvm_eoi: x", process: 212),
        Line(line: "            qemu-219     (-------) [003] ..... 11.589558: kvm_eoi: x"),
        Line(line: " qemu-219       3..... 194408us+: kvm_eoi: x", time: 194_408_000),
        Line(line: " qemu-219       3..... 229400us : kvm_eoi: x", time: 229_400_000),
        Line(line: " qemu-219       3d.h1. 229400us!: kvm_eoi: x", time: 229_400_000, isHard: true),
        Line(
            line: "            qemu     219   3 0 00000001 00000032 [0214cdc5] 429.089ms (+47.307ms): kvm_eoi: x",
            time: 429_089_000),
        Line(line: "            qemu [003] 11.589558: kvm_eoi: x", thread: nil),
        // perf script and those like it
        Line(line: "            qemu     219 [003]    11.589558:        kvm:kvm_eoi: apicid 0 vector 97"),
        Line(line: "            qemu     219    11.589558:        kvm:kvm_eoi: apicid 0 vector 97", cpu: nil),
        Line(line: "            qemu [003]    11.589558:        kvm:kvm_eoi: apicid 0 vector 97", thread: nil),
        Line(line: "            qemu    11.589558:        kvm:kvm_eoi: x", thread: nil, cpu: nil),
        Line(line: "            qemu     212/219     [003]    11.589558:   kvm:kvm_eoi: x", process: 212),
        Line(line: "            qemu     219 [003] K        11.589558:          1        kvm:kvm_eoi: x"),
        Line(line: "            qemu     219 [003] 2026-11-26 02:49:39.569478    11.589558:   kvm:kvm_eoi: x"),
        Line(line: "2024-01-02 03:04:05.637742     qemu    219 .... [003]    11.589558: kvm:kvm_eoi: x"),
        Line(line: "2024-01-02 03:04:05.637742     qemu    219 d.h1 [003]    11.589558: kvm:kvm_eoi: x", isHard: true),
        Line(line: "       qemu     219 [003]    11.589558:   kvmmmu:mark_mmio_spte: gfn 1", name: "mark_mmio_spte"),
        Line(
            line: "swapper     0 [003]   160.328182:   10101010                          cpu-clock:  ffffffff81d0fa3f",
            name: "cpu-clock", time: 160_328_182_000, thread: 0, command: "swapper"),
        // as authors leave them
        Line(line: " 11.589558: kvm_eoi: apicid 0 vector 97", thread: nil, cpu: nil, command: ""),
        Line(line: "kvm_eoi: apicid 0 vector 97", time: nil, thread: nil, cpu: nil, command: ""),
        Line(line: " kvm_eoi:             apicid 0 vector 97", time: nil, thread: nil, cpu: nil, command: ""),
        Line(line: "> >>  qemu-219 [003] 11.589558: kvm_eoi: x"),
        Line(line: "> > qemu-219 [003] 11.589558: kvm_eoi:"),
        Line(line: "\tqemu-219 [003] 11.589558: kvm_eoi: x"),
        // names of threads
        Line(line: "       CPU 0/KVM-219 [003] 11.589558: kvm_eoi: x", command: "CPU 0/KVM"),
        Line(line: "       CPU 12/KVM 219 [003] 11.589558: kvm:kvm_eoi: x", command: "CPU 12/KVM"),
        Line(line: "      fc_vcpu 1-219 [003] 11.589558: kvm_eoi: x", command: "fc_vcpu 1"),
        Line(line: "      fc_vcpu 1 219 [003] 11.589558: kvm:kvm_eoi: x", command: "fc_vcpu 1"),
        Line(line: " kworker/5:2-eve-219 [003] 11.589558: kvm_eoi: x", command: "kworker/5:2-eve"),
        Line(line: " qemu-system-x86-219 [003] 11.589558: kvm_eoi: x", command: "qemu-system-x86"),
        Line(line: "           <...>-219 [003] 11.589558: kvm_eoi: x", command: "<...>"),
        Line(line: "     Web Content-219 [003] 11.589558: kvm_eoi: x", command: "Web Content"),
        Line(line: "            :505     505 [003] 11.589558: kvm:kvm_eoi: x", thread: 505, command: ":505"),
        Line(line: "        a-1-b-2-219 [003] 11.589558: kvm_eoi: x", command: "a-1-b-2"),
        Line(line: "         [a] 1.5-219 [003] 11.589558: kvm_eoi: x", command: "[a] 1.5"),
        Line(line: "      rcu 4.5: x-219 [003] 11.589558: kvm_eoi: x", command: "rcu 4.5: x"),
        // In front of a colon is a file's name for all that can be told.
        Line(line: "     rcu: 4.5: x-219 [003] 11.589558: kvm_eoi: x", command: "4.5: x"),
        Line(line: " qemu-219 [003]\n> 11.589558:\n>  kvm_eoi: x"),
        Line(line: " ld-linux-x86-64     467 [003] 11.589558: kvm:kvm_eoi: x", thread: 467, command: "ld-linux-x86-64"),
        Line(line: "            qemu-219   [247]    11.589558: kvm_eoi: x", cpu: 247),
        Line(line: "            qemu-4194304 [003] 11.589558: kvm_eoi: x", thread: 4_194_304),
    ]

    private static func read(_ line: String) -> (frame: LineFrame?, name: String, command: String) {
        let bytes = Array(line.utf8)
        let frame = LineFrame(bytes.span, in: 0..<bytes.count)
        return (frame, frame.map { bytes.span.text($0.name) } ?? "", frame.map { bytes.span.text($0.command) } ?? "")
    }

    private static func time(_ text: String) -> LineTime? {
        let bytes = Array(text.utf8)
        return LineTime(bytes.span, 0..<bytes.count)
    }

    @Test(arguments: lines)
    func `the columns of a line`(_ expected: Line) throws {
        let line = Self.read(expected.line)
        let frame = try #require(line.frame)
        #expect(line.name == expected.name)
        #expect(frame.time?.value == expected.time)
        if frame.time != nil { #expect((frame.time?.unit == .bare) == expected.isBare) }
        #expect(frame.thread == expected.thread)
        #expect(frame.process == expected.process)
        #expect(frame.cpu == expected.cpu)
        #expect(frame.inHardIRQ == expected.isHard)
        // Where no line names threads nobody asks for their names.
        if expected.thread != nil { #expect(line.command == expected.command) }
    }

    @Test(arguments: [
        "", " ", ":", "a: b", "On Tuesday somebody wrote:", "Note: kvm_exit is an event", "# tracer: nop", "[ 12.5]",
        "1.5:",
        "qemu-219 [003] 11.589558:", "36.22%  reason MSR_WRITE rip 0xffffffff8110ac58 info 0 0", "cpus=8", "[...]",
        "kvm:kvm_exit                     85000", "@irq[32]: 85000", "\tffffffffc03dc844 [unknown] ([kvm])",
        "CPU:7 [204600 EVENTS DROPPED]", "11.589558: see kvm_exit: below, twice", "4.5: at 11.589558: kvm_eoi: x",
    ])
    func `what is no line of an event`(line: String) {
        #expect(Self.read(line).frame == nil)
    }

    @Test func `what an event's text holds is no other event's frame`() throws {
        let line = Self.read(" qemu-219 [003] 1.5: bprint: f: x 2.5: kvm_exit: reason HLT")
        #expect(line.name == "bprint")
        #expect(line.frame?.time?.value == 1_500_000_000)
    }

    @Test(
        arguments: [
            ("16.637742", 16_637_742_000), ("16.637742936", 16_637_742_936), ("0.000000", 0), ("1.5", 1_500_000_000),
            ("18446744073.709551615", UInt64.max), ("429.089ms", 429_089_000), ("194408us+", 194_408_000),
            ("229400us!", 229_400_000), ("12us", 12000), ("7ms", 7_000_000),
        ] as [(String, UInt64)])
    func `times are held in nanoseconds`(text: String, nanoseconds: UInt64) throws {
        let time = try #require(Self.time(text))
        #expect(time.value == nanoseconds)
        #expect(time.unit == .nanoseconds)
    }

    @Test func `a number without a point is a clock's own`() throws {
        let time = try #require(Self.time("282971080948"))
        #expect(time.value == 282_971_080_948)
        #expect(time.unit == .bare)
    }

    @Test(arguments: [
        "", ".5", "1.", "a", "1a", "0x10", "-1", "1.5.2", "1s", "1ks", "99999999999999999999", "184467440737.0", "1,5",
    ])
    func `what is no time`(text: String) {
        #expect(Self.time(text) == nil)
    }
}
