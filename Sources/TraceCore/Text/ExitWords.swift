// SPDX-License-Identifier: Apache-2.0

/// The names that KVM and libtraceevent's plugin give exit reasons, on VMX and SVM.
///
/// The two spell SVM's differently, and are both in one trace: the plugin prints `kvm_exit`, the format's own text
/// `kvm_nested_vmexit`. Sources: arch/x86/include/uapi/asm/vmx.h and svm.h, 4.4 to 7.3; plugins/plugin_kvm.c of libtraceevent 1.0 to
/// 1.8.
struct ExitWords {
    static let all = ExitWords()
    private let table: WordTable
    private let reasons: [ExitReason]

    private init() {
        var words: [String] = []
        var reasons: [ExitReason] = []
        func add(_ word: String, _ isa: ISA, _ code: UInt32) {
            words.append(word)
            reasons.append(ExitReason(isa: isa, recorded: code))
        }
        for (code, name) in ExitReason.vmxNames.sorted(by: { $0.key < $1.key }) { add(name, .vmx, code) }
        for (name, code) in Self.formerVMX { add(name, .vmx, code) }
        for (code, name) in ExitReason.svmNames.sorted(by: { $0.key < $1.key }) {
            // `DE excp` is two words, the second of which says nothing.
            add(name.split(separator: " ").first.map(String.init) ?? name, .svm, code)
        }
        for (name, code) in Self.pluginSVM { add("EXIT_" + name, .svm, code) }
        for (bit, name) in Self.exceptions.enumerated() where !name.isEmpty {
            add("EXIT_EXCP_" + name, .svm, 0x40 + UInt32(bit))
        }
        for register in UInt32(0)..<16 {
            add("EXIT_READ_CR\(register)", .svm, register)
            add("EXIT_WRITE_CR\(register)", .svm, 0x10 + register)
            add("EXIT_READ_DR\(register)", .svm, 0x20 + register)
            add("EXIT_WRITE_DR\(register)", .svm, 0x30 + register)
        }
        table = WordTable(words)
        self.reasons = reasons
    }

    /// The reason of a name, nil for none that is known.
    func reason(_ line: Span<UInt8>, _ range: Range<Int>) -> ExitReason? {
        table.index(line, range).map { reasons[$0] }
    }

    /// Names that were others later, or that are the plugin's alone.
    private static let formerVMX: [(String, UInt32)] = [
        ("PENDING_INTERRUPT", 7), ("EXCEPTION", 0), ("VMXOFF", 26), ("VMXON", 27), ("MSR_LOADING", 34), ("MCE", 41),
        ("MONITOR_TRAP", 37), ("MACHINE_CHECK", 41), ("RSM", 17), ("VIRTUALIZED_EOI", 45), ("PCOMMIT", 65),
        ("LOADIWKEY", 69),
    ]

    private static let exceptions = [
        "DE", "DB", "", "BP", "OF", "BR", "UD", "NM", "DF", "", "TS", "NP", "SS", "GP", "PF", "", "MF", "AC", "MC",
        "XF",
    ]

    private static let pluginSVM: [(String, UInt32)] = [
        ("INTR", 0x60), ("NMI", 0x61), ("SMI", 0x62), ("INIT", 0x63), ("VINTR", 0x64), ("CR0_SEL_WRITE", 0x65),
        ("IDTR_READ", 0x66), ("GDTR_READ", 0x67), ("LDTR_READ", 0x68), ("TR_READ", 0x69), ("IDTR_WRITE", 0x6a),
        ("GDTR_WRITE", 0x6b), ("LDTR_WRITE", 0x6c), ("TR_WRITE", 0x6d), ("RDTSC", 0x6e), ("RDPMC", 0x6f),
        ("PUSHF", 0x70), ("POPF", 0x71), ("CPUID", 0x72), ("RSM", 0x73), ("IRET", 0x74), ("SWINT", 0x75),
        ("INVD", 0x76),
        ("PAUSE", 0x77), ("HLT", 0x78), ("INVLPG", 0x79), ("INVLPGA", 0x7a), ("IOIO", 0x7b), ("MSR", 0x7c),
        ("TASK_SWITCH", 0x7d), ("FERR_FREEZE", 0x7e), ("SHUTDOWN", 0x7f), ("VMRUN", 0x80), ("VMMCALL", 0x81),
        ("VMLOAD", 0x82), ("VMSAVE", 0x83), ("STGI", 0x84), ("CLGI", 0x85), ("SKINIT", 0x86), ("RDTSCP", 0x87),
        ("ICEBP", 0x88), ("WBINVD", 0x89), ("MONITOR", 0x8a), ("MWAIT", 0x8b), ("MWAIT_COND", 0x8c), ("XSETBV", 0x8d),
        ("RDPRU", 0x8e), ("EFER_WRITE_TRAP", 0x8f), ("INVPCID", 0xa2), ("NPF", 0x400), ("AVIC_INCOMPLETE_IPI", 0x401),
        ("AVIC_UNACCELERATED_ACCESS", 0x402), ("VMGEXIT", 0x403), ("ERR", 0xffff_ffff),
    ]
}
