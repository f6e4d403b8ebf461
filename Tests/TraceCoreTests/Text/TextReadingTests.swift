// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What a text tells beside its events: what is missing, what is one after another, and what can't be told at all.
@Suite struct TextReadingTests {
    private static let entry = "kvm_entry: vcpu 0, rip 0x1"
    private static let exit = "kvm_exit: reason HLT rip 0x1 info 0 0"

    /// One line of a thread an event, a second apart.
    private func text(_ lines: String...) -> String {
        lines.enumerated().map { $1.contains("kvm_") ? " qemu-7 [001] \($0 + 1).000000: \($1)" : $1 }
            .joined(separator: "\n") + "\n"
    }

    private func read(_ text: String) throws -> (info: TraceInfo, lines: [String], totals: TraceTotals) {
        try TestFile.read(text.utf8)
    }

    // MARK: - Losses

    @Test(
        arguments: [
            ("CPU:1 [LOST 2057 EVENTS]", 2057), ("CPU:1 [2057 EVENTS DROPPED]", 2057), ("CPU:1 [LOST EVENTS]", nil),
            ("CPU:1 [EVENTS DROPPED]", nil), ("> CPU:1 [LOST 2057 EVENTS]", 2057),
            ("win.dat: CPU:1 [2057 EVENTS DROPPED]", 2057),
        ] as [(String, UInt64?)])
    func `a tool's line about lost events is a gap`(line: String, events: UInt64?) throws {
        let read = try read(text(Self.entry, Self.exit, line, Self.entry))
        let gap = EventGap(instance: 0, cpu: 1, from: 2_000_000_000, to: 4_000_000_000, events: events)
        #expect(read.totals.gaps == [gap])
        #expect(read.totals.cut == nil)
        #expect(!read.totals.isWhole)
    }

    @Test func `perf's records of lost events are gaps`() throws {
        let read = try read(
            """
              qemu     7 [001]     1.000000: kvm:kvm_entry: vcpu 0, rip 0x1
              qemu     7 [001]     2.000000: PERF_RECORD_LOST lost 42
              qemu     7 [001]     3.000000: kvm:kvm_entry: vcpu 0, rip 0x1
            """)
        #expect(read.totals.gaps.map(\.events) == [42])
        #expect(read.totals.gaps.map(\.cpu) == [1])
        #expect(read.totals.byName == ["kvm_entry": 2])
    }

    @Test func `several losses between two events are one gap`() throws {
        let read = try read(text(Self.entry, "CPU:1 [LOST 5 EVENTS]", "CPU:0 [LOST 6 EVENTS]", Self.entry))
        #expect(read.totals.gaps.map(\.events) == [11])
        #expect(read.totals.gaps.map(\.cpu) == [-1])
    }

    @Test func `a loss that was counted is told where it is first or last`() throws {
        #expect(try read(text("CPU:1 [LOST 5 EVENTS]", Self.entry)).totals.gaps.map(\.events) == [5])
        #expect(try read(text(Self.entry, "CPU:1 [LOST 5 EVENTS]")).totals.gaps.map(\.to) == [nil])
    }

    @Test(arguments: [
        "[...]", "...", "  [...]", "> [...]", "(...)", "\u{2026}", "[\u{2026}]", "---truncated---", "<...>", "......",
    ])
    func `what an author left out is a gap of no known size`(line: String) throws {
        let read = try read(text(Self.entry, line, Self.exit))
        let gap = EventGap(instance: 0, cpu: -1, from: 1_000_000_000, to: 3_000_000_000, events: nil)
        #expect(read.totals.gaps == [gap])
        #expect(
            try read.totals.gaps.isEmpty || TestText.report(text(Self.entry, line, Self.exit)).verdict == .inconclusive)
    }

    @Test func `what is left out in front or behind is no gap`() throws {
        #expect(try read(text("[...]", Self.entry, Self.exit, "[...]")).totals.gaps.isEmpty)
    }

    @Test(
        arguments: [("613/712", 99), ("613/613", nil), ("0/0", nil), ("7/3", nil), ("x/y", nil)] as [(String, UInt64?)])
    func `a header tells what was overwritten`(entries: String, overrun: UInt64?) throws {
        let text = "# tracer: nop\n#\n# entries-in-buffer/entries-written: \(entries)   #P:2\n#\n" + text(Self.entry)
        #expect(try read(text).totals.overrun == overrun)
        #expect(try read(text).totals.isWhole == (overrun == nil))
    }

    // MARK: - Order and threads

    @Test func `a text that begins anew is cut there`() throws {
        let text = text(Self.entry, Self.exit, Self.entry)
        let read = try read(text + "\nOn Tuesday somebody wrote:\n" + text)
        #expect(read.lines.count == 3)
        #expect(read.totals.cut?.expected == "a line that is no earlier than the one before it (line 6)")
        let offset = UInt64(text.utf8.count + "\nOn Tuesday somebody wrote:\n".utf8.count)
        #expect(read.totals.cut?.offset == offset)
        #expect(try TestText.report(text + text).verdict == .inconclusive)
    }

    @Test func `lines of no event are counted and told`() throws {
        let prose = ["The guest hangs here:", "", "> ", "cpus=8", "kvm_exit is what I look at."]
        let report = try TestText.report(prose.joined(separator: "\n") + "\n" + text(Self.entry, Self.exit))
        #expect(report.limits.contains("2 lines are of no event and passed over"))
        let bare = try TestText.report(text(Self.entry, Self.exit))
        #expect(!bare.limits.contains { $0.hasSuffix("passed over") })
    }

    @Test func `an interrupt's lines may be a little late`() throws {
        let read = try read(
            """
             qemu-7 [001] 1.000500: kvm_entry: vcpu 0, rip 0x1
             qemu-7 [001] 1.000100: kvm_entry: vcpu 0, rip 0x2
             qemu-7 [001] 1.000600: kvm_entry: vcpu 0, rip 0x3
            """)
        #expect(read.totals.cut == nil)
        #expect(read.lines.count == 3)
        #expect(read.totals.last == 1_000_600_000)
    }

    @Test func `several vCPUs without threads leave what names none unplaced`() throws {
        let text = """
             1.000000: kvm_entry: vcpu 0, rip 0x1
             1.000001: kvm_entry: vcpu 1, rip 0x1
             1.000002: kvm_exit: reason HLT rip 0x1 info 0 0
             1.000003: kvm_eoi: apicid 1 vector 97
            """
        let read = try read(text)
        #expect(read.totals.unplaced == 2)
        #expect(read.lines.count == 2)
        #expect(!read.totals.isWhole)
        let report = try TestText.report(text)
        #expect(report.verdict == .inconclusive)
        #expect(
            report.reasons.contains { $0.hasPrefix("Several vCPUs ran, and 2 events are of lines without a thread") })
    }

    @Test func `one vCPU without threads is assumed to be one, and that is told`() throws {
        let report = try TestText.report(" 1.000000: \(Self.entry)\n 1.000001: \(Self.exit)\n")
        #expect(report.vms.count == 1)
        #expect(report.limits.contains { $0.contains("the lines name no thread") })
    }

    @Test func `without times no wait is judged`() throws {
        let info = try read("\(Self.entry)\n\(Self.exit)\n\(Self.entry)\n").info
        #expect(info.clock == TraceClock(name: "none", unit: .none))
        let report = try TestText.report("\(Self.entry)\n\(Self.exit)\n\(Self.entry)\n")
        #expect(report.limits.contains { $0.hasPrefix("the lines have no times") })
    }

    @Test func `bare numbers are a clock's own`() throws {
        let read = try read(" qemu-7 [001] 70049107361: \(Self.entry)\n qemu-7 [001] 70049107362: \(Self.exit)\n")
        #expect(read.info.clock.unit == .ticks)
        #expect(read.totals.first == 70_049_107_361)
    }

    @Test func `times that each begin anew are differences`() throws {
        let read = try read(
            """
              qemu     7 [001]     0.000000: kvm:kvm_entry: vcpu 0, rip 0x1
              qemu     7 [001]     0.007878: kvm:kvm_entry: vcpu 0, rip 0x1
              qemu     7 [001]     0.000002: kvm:kvm_entry: vcpu 0, rip 0x1
            """)
        #expect(read.totals.last == 7_880_000)
        #expect(read.totals.cut == nil)
        #expect(read.totals.notes.contains { $0.hasPrefix("each time is taken") })
    }

    @Test func `lines that another file repeats are read once`() throws {
        let read = try read(
            """
            cpus=2
            a.dat:  qemu-7 [001] 1.000000: kvm_entry: vcpu 0, rip 0x1
            b.dat:  qemu-7 [001] 1.000000: kvm_entry: vcpu 0, rip 0x1
            a.dat:  qemu-7 [001] 1.000001: kvm_entry: vcpu 0, rip 0x1
            """)
        #expect(read.lines.count == 2)
        #expect(read.totals.byName == ["kvm_entry": 3])
    }

    @Test func `an event of two instances is read from the one that had it first`() throws {
        let read = try read(
            """
            two:  qemu-7 [001] 1.000000100: kvm_entry: vcpu 0, rip 0x1
            one:  qemu-7 [001] 1.000000120: kvm_entry: vcpu 0, rip 0x1
            one:  qemu-7 [001] 1.000001000: kvm_eoi: apicid 0 vector 65
            two:  qemu-7 [001] 1.000002000: kvm_entry: vcpu 0, rip 0x2
            one:  qemu-7 [001] 1.000002010: kvm_entry: vcpu 0, rip 0x2
            """)
        #expect(read.lines.count == 3)
        #expect(read.totals.byName == ["kvm_entry": 4, "kvm_eoi": 1])
        #expect(read.totals.notes.contains { $0.hasPrefix("2 lines are of files or instances") })
    }

    @Test func `of a file that goes on where another one ends the events are read, with a gap between`() throws {
        let read = try read(
            """
            a.dat:  qemu-7 [001] 1.000000: kvm_entry: vcpu 0, rip 0x1
            b.dat:  qemu-7 [001] 3.000000: kvm_entry: vcpu 0, rip 0x2
            """)
        #expect(read.lines.count == 3)
        #expect(read.totals.gaps.count == 1)
    }

    @Test func `events that nobody selects one by one show that all were on`() throws {
        let others = """
             qemu-7 [001] 1.000000: kvm_fpu: load
             qemu-7 [001] 1.000001: kvm_update_master_clock: masterclock 0 hostclock tsc offsetmatched 0
             qemu-7 [001] 1.000002: kvm_hv_timer_state: vcpu_id 0 hv_timer 0

            """
        let entry = " qemu-7 [001] 1.000003: kvm_entry: vcpu 0, rip 0x1\n"
        let note = "nobody selects one by one"
        #expect(try TestText.report(others + entry).limits.contains { $0.contains(note) })
        #expect(try !TestText.report(entry).limits.contains { $0.contains(note) })
    }

    @Test func `a process in front of the thread ties them without inference`() throws {
        let lines = (0..<4).map { "qemu  70/7\($0) [00\($0)] 1.00000\($0): kvm:kvm_entry: vcpu \($0), rip 0x1" }
        let report = try TestText.report(lines.joined(separator: "\n"))
        #expect(report.vms.map(\.pid) == [70])
        #expect(report.vms.first?.vcpus.map(\.tid) == [70, 71, 72, 73])
        #expect(!report.limits.contains { $0.contains("by inference") })
    }

    // MARK: - What is refused

    @Test(arguments: [
        ("kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0xffff800010a3b4c8", "aarch64"),
        ("kvm_entry: PC: 0xffff800010a3b4c8", "aarch64"),
        ("kvm_exit: SCAUSE:0x15, STVAL:0x1, HTVAL:0x2, HTINST: 0x0", "riscv64"),
        ("kvm_entry: PC: 0x80200000", "aarch64"),
        ("kvm_s390_sie_enter: 00[0706c00180000000-000000000013b9c2]: entering", "s390x"),
        ("kvm_guest_enter: VCPU 0: pc=0xc000000000001000", "ppc64le"),
        ("kvm_guest_exit: VCPU 0: trap=HV_DECR pc=0x1", "ppc64le"),
    ])
    func `another machine's KVM is named`(line: String, machine: String) {
        #expect(throws: InputError.foreign(file: "test.dat", .otherArchitecture(machine: machine))) {
            try read(" qemu-7 [001] 1.000000: \(line)\n")
        }
    }

    @Test func `perf's header names another machine`() {
        #expect(throws: InputError.foreign(file: "test.dat", .otherArchitecture(machine: "s390x"))) {
            try read("# arch : s390x\n" + text(Self.entry))
        }
    }

    @Test(arguments: [
        "Dear list,\n\nmy guest hangs: it says nothing.\n", "\n", " ", "cpus=8\n", "# tracer: nop\n#\n",
        "36.22%  reason MSR_WRITE rip 0xffffffff8110ac58 info 0 0\n", "kvm:kvm_exit   85000\n", "{\"a\": [1, 2]}\n",
        "2026-11-26 10:00:00: kernel: something happened\n", "int main(void) { return 0; }\n",
        "<html><body>none</body></html>\n",
        "278 0 44326260350 type: 1708\n278 0 44326560646 type: 1723\n",
    ])
    func `a text without an event is refused, with what is wanted`(text: String) {
        let error = #expect(throws: InputError.foreign(file: "test.dat", .text)) { try read(text) }
        #expect(error?.description.contains("one a line") == true)
    }

    @Test func `archives are named, with how to unpack them`() throws {
        let zip =
            Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 22) + [9, 0, 0, 0] + Array("trace.txt".utf8)
        let archive = ForeignFormat.Archive(kind: .zip, member: "trace.txt")
        let error = #expect(throws: InputError.foreign(file: "test.dat", .archive(archive))) { try TestFile.read(zip) }
        #expect(error?.description.contains("unzip -p FILE trace.txt | apictrace analyze -") == true)
        var tar = Array("trace.txt".utf8)
        tar += [UInt8](repeating: 0, count: 257 - tar.count) + Array("ustar\0".utf8) + [UInt8](repeating: 0, count: 249)
        let other = ForeignFormat.Archive(kind: .tar, member: "trace.txt")
        #expect(throws: InputError.foreign(file: "test.dat", .archive(other))) { try TestFile.read(tar) }
    }

    // MARK: - Lines between

    @Test func `what stands between the lines of a trace is passed over`() throws {
        let read = try read(
            """
            Hello,

            here L2 detects the failure:
              qemu-7 [001] 1.000000: kvm_entry: vcpu 0, rip 0x1
            A: L1 writes the register: see above
            ======= L2 services ...
              qemu-7 [001] 1.000001: bprint:               f: x
              qemu-7 [001] 1.000002: p_hv_probe: (vmx_vcpu_run+0x4/0x100)
              qemu-7 [001] 1.000003: kvm_exit: reason HLT rip 0x1 info 0 0
            --
            somebody: else
            """)
        #expect(read.totals.byName == ["kvm_entry": 1, "bprint": 1, "p_hv_probe": 1, "kvm_exit": 1])
        #expect(read.lines.count == 2)
        #expect(read.totals.gaps.isEmpty)
        #expect(read.totals.illegible == nil)
    }
}
