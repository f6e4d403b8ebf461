// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct EventFormatTests {
    @Test func `fields are found by name`() throws {
        let format = try #require(
            EventFormat(
                text: """
                    name: kvm_emulate_insn
                    ID: 1540
                    format:
                    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
                    \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

                    \tfield:__u64 rip;\toffset:8;\tsize:8;\tsigned:0;
                    \tfield:__u8 insn[15];\toffset:21;\tsize:15;\tsigned:0;
                    \tfield:__data_loc char[] msg;\toffset:36;\tsize:4;\tsigned:1;
                    \tfield:void * sptep;\toffset:40;\tsize:8;\tsigned:0;

                    print fmt: "%x:%llx", REC->csbase, REC->rip
                    """))
        #expect(format.name == "kvm_emulate_insn")
        #expect(format.id == 1540)
        #expect(format.fields.map(\.name) == ["common_type", "common_pid", "rip", "insn", "msg", "sptep"])
        let rip = try #require(format.field("rip"))
        #expect((rip.offset, rip.size, rip.isSigned, rip.isDynamic) == (8, 8, false, false))
        #expect(format.field("msg")?.isDynamic == true)
        #expect(format.field("common_pid")?.isSigned == true)
        #expect(format.flagNames.isEmpty)
    }

    @Test(arguments: [
        "", "name: x", "ID: 4\nname: x", "name: x\nID: 70000\n", "name: x\nID: -1\n", "name:\nID: 4\n",
        "\u{0}\u{1}\n\n",
    ])
    func `a text that makes no sense is no format`(text: String) {
        #expect(EventFormat(text: text) == nil)
    }

    @Test func `field lines that make no sense are left out`() throws {
        let format = try #require(
            EventFormat(
                text: """
                    name: x
                    ID: 4
                    \tfield:
                    \tfield:u32 a;
                    \tfield:u32 b;\toffset:-1;\tsize:4;
                    \tfield:u32 c;\toffset:8;\tsize:99999999999999999999;
                    \tfield:u32 d;\toffset:8;\tsize:4;
                    \tfield:[4];\toffset:8;\tsize:4;
                    """))
        #expect(format.fields.map(\.name) == ["d"])
    }

    @Test func `inhibit names come in the order of their bits`() throws {
        let print =
            #""%s reason=%u, inhibits=0x%lx%s%s", REC->set ? "set" : "cleared", REC->reason, (REC->inhibits), "#
            + #"(REC->inhibits) ? " " : "", (REC->inhibits) ? __print_flags(REC->inhibits, "|", "#
            + #"{ ((((1UL))) << (APICV_INHIBIT_REASON_DISABLED)), "DISABLED" }, "#
            + #"{ ((((1UL))) << (APICV_INHIBIT_REASON_HYPERV)), "HYPERV" }, "#
            + #"{ ((((1UL))) << (APICV_INHIBIT_REASON_ABSENT)), "ABSENT" }) : """#
        let format = try #require(
            EventFormat(text: TestRecord.format("kvm_apicv_inhibit_changed", id: 9, [], print: print)))
        #expect(format.flagNames == ["DISABLED", "HYPERV", "ABSENT"])
    }

    @Test func `a resolved enum is believed`() throws {
        let print = #""%s", __print_flags(REC->inhibits, "|", { (1UL << (2)), "ABSENT" }, { 1UL << 0, "DISABLED" })"#
        let format = try #require(EventFormat(text: TestRecord.format("x", id: 9, [], print: print)))
        #expect(format.flagNames == ["DISABLED", "", "ABSENT"])
    }

    @Test(arguments: [64, 4000]) func `a bit that no mask has ends the list`(_ bit: Int) throws {
        let print = "\"%s\", __print_flags(REC->inhibits, \"|\", { 1UL << 1, \"HYPERV\" }, { 1UL << \(bit), \"X\" })"
        let format = try #require(EventFormat(text: TestRecord.format("x", id: 9, [], print: print)))
        #expect(format.flagNames == ["", "HYPERV"])
    }

    @Test func `kernels without flag names have none`() throws {
        let print = #""%s reason=%u, inhibits=0x%lx", REC->set ? "set" : "cleared", REC->reason, REC->inhibits"#
        let format = try #require(
            EventFormat(text: TestRecord.format("kvm_apicv_inhibit_changed", id: 9, [], print: print)))
        #expect(format.flagNames.isEmpty)
    }
}
