// SPDX-License-Identifier: Apache-2.0

/// What the words of KVM's event texts mean, whichever kernel and tool printed them.
///
/// One vocabulary for all versions, not a grammar for each: a text is a row of words, and those that name a field say which numbers
/// follow. Sources: the print formats of arch/x86/kvm/trace.h and mmu/mmutrace.h, 4.4 to 7.3; libtraceevent's plugin_kvm.c; fields
/// by name as `trace-cmd report -R` and tracefs' option `fields` print them.
struct TextVocabulary {
    enum Meaning {
        case number(Int, radix: UInt64)
        /// Two numbers in base 16: `info 0 800000ec`.
        case pair(Int, Int)
        /// The name of two numbers with a colon between them, that of the second follows: `icrh:icrl=0x1:0x2`.
        case pairOfNames(Int, Int)
        /// The word itself is the value.
        case value(Int, UInt64)
        /// The word is part of the value.
        case bits(Int, UInt64)
        /// A number that is part of the value.
        case vector(Int)
        /// A name, or a number: `reason EPT_MISCONFIG`.
        case exitReason(Int, isa: Int)
        /// `reason KVM_EXIT_IO (2)`.
        case userspaceReason(Int)
        /// `apic_write APIC_EOI = 0x0`, `msr_read 830 = 0x0`: whether it writes, what, and the value.
        case access(UInt64)
        /// `IRQ 0xb0`.
        case injected(soft: UInt64)
    }

    static let all = TextVocabulary()
    private var keys: [WordKey] = []
    private var meanings: [Meaning] = []
    /// The words of each kind, and behind them the names of its fields.
    private var words: [Range<Int>] = []
    private var fields: [Range<Int>] = []
    /// By kind: of a text that has shown as many, the rest is of no use.
    private(set) var fieldCounts: [Int] = []

    private init() {
        for kind in EventKind.allCases {
            var start = keys.count
            for (word, meaning) in Self.words(of: kind) { add(word, meaning) }
            words.append(start..<keys.count)
            start = keys.count
            for (index, field) in kind.tracepoint.fields.enumerated() {
                for name in field.names {
                    add(name, .number(index, radix: Self.hexadecimal.contains(name) ? 16 : 10))
                }
            }
            fields.append(start..<keys.count)
            fieldCounts.append(kind == .apicIPI ? .max : kind.tracepoint.fields.count)
        }
    }

    private mutating func add(_ word: String, _ meaning: Meaning) {
        keys.append(WordKey(word))
        meanings.append(meaning)
    }

    /// What a word means; of one that an equals sign follows the field's own name counts first.
    @inline(__always)
    func meaning(_ line: Span<UInt8>, _ words: TextWords, of kind: EventKind) -> Meaning? {
        let place = Int(kind.rawValue)
        let key = WordKey(line, words.token)
        if words.separator(line) == UInt8(ascii: "="), let index = find(key, in: fields[place]) {
            return meanings[index]
        }
        return find(key, in: self.words[place]).map { meanings[$0] }
    }

    /// Whether a text begins with a word that such an event has.
    func begins(_ line: Span<UInt8>, _ text: Range<Int>, with kind: EventKind) -> Bool {
        var words = TextWords(text)
        return words.next(line) && meaning(line, words, of: kind) != nil
    }

    @inline(__always)
    private func find(_ key: WordKey, in range: Range<Int>) -> Int? {
        for index in range where keys[index] == key { return index }
        return nil
    }

    /// Fields that are printed in base 16 without a mark of it.
    private static let hexadecimal: Set = [
        "ecx", "apicid", "dest_id", "gfn", "addr", "fault_address", "error_code", "cr", "guest_rip", "rip", "gpa",
        "val",
        "data", "info1", "info2", "exit_info1", "exit_info2", "exit_int_info", "intr_info", "inhibits",
    ]

    private static let modes = ["Fixed", "LowPrio", "SMI", "Res3", "NMI", "INIT", "SIPI", "ExtINT"]

    private static func words(of kind: EventKind) -> [(String, Meaning)] {
        switch kind {
        case .entry:
            [("vcpu", .number(0, radix: 10)), ("rip", .number(1, radix: 16)), ("intr_info", .number(2, radix: 16))]
        case .exit, .nestedVMExit:
            [
                ("vcpu", .number(2, radix: 10)), ("reason", .exitReason(0, isa: 1)), ("rip", .number(3, radix: 16)),
                ("info1", .number(4, radix: 16)), ("info2", .number(5, radix: 16)), ("info", .pair(4, 5)),
                ("intr_info", .number(6, radix: 16)), ("int_info", .number(6, radix: 16)),
                ("intr", .number(6, radix: 16)),
                ("ext_inf1", .number(4, radix: 16)), ("ext_inf2", .number(5, radix: 16)),
                ("ext_int", .number(6, radix: 16)),
                ("FAILED_VMENTRY", .bits(0, 1 << 31)),
            ]
        case .nestedVMExitInject:
            [
                ("reason", .exitReason(0, isa: 4)), ("info1", .number(1, radix: 16)), ("info2", .number(2, radix: 16)),
                ("int_info", .number(3, radix: 16)), ("ext_inf1", .number(1, radix: 16)),
                ("ext_inf2", .number(2, radix: 16)),
                ("ext_int", .number(3, radix: 16)), ("FAILED_VMENTRY", .bits(0, 1 << 31)),
            ]
        case .nestedVMEnter:
            [
                ("rip", .number(0, radix: 16)), ("nested_rip", .number(1, radix: 16)), ("nrip", .number(1, radix: 16)),
                ("int_ctl", .number(2, radix: 16)), ("event_inj", .number(3, radix: 16)), ("vmcs", .value(4, 1)),
                ("vmcb", .value(4, 2)),
            ]
        case .nestedVMEnterFailed:
            // VMXERR_* of arch/x86/include/asm/vmx.h, whose prefix the kernel leaves out.
            [
                ("VMLAUNCH_NONCLEAR_VMCS", .value(0, 4)), ("VMRESUME_NONLAUNCHED_VMCS", .value(0, 5)),
                ("VMRESUME_AFTER_VMXOFF", .value(0, 6)), ("VMENTRY_INVALID_CONTROL_FIELD", .value(0, 7)),
                ("VMENTRY_INVALID_HOST_STATE_FIELD", .value(0, 8)), ("VMENTRY_EVENTS_BLOCKED_BY_MOV_SS", .value(0, 26)),
            ]
        case .smmTransition: [("vcpu", .number(0, radix: 10)), ("entering", .value(1, 1)), ("leaving", .value(1, 0))]
        case .pageFault:
            [
                ("vcpu", .number(0, radix: 10)), ("address", .number(1, radix: 16)),
                ("error_code", .number(2, radix: 16)),
            ]
        case .markMMIOSPTE, .mmuSetSPTE: [("gfn", .number(0, radix: 16))]
        case .handleMMIOPageFault: [("addr", .number(0, radix: 16)), ("gfn", .number(1, radix: 16))]
        case .mmio:
            [
                ("unsatisfied-read", .value(0, 0)), ("read", .value(0, 1)), ("write", .value(0, 2)),
                ("len", .number(1, radix: 10)), ("gpa", .number(2, radix: 16)), ("val", .number(3, radix: 16)),
            ]
        case .apic: [("apic_read", .access(0)), ("apic_write", .access(1))]
        case .msr: [("msr_read", .access(0)), ("msr_write", .access(1)), ("#GP", .value(3, 1))]
        case .cr: [("cr_read", .access(0)), ("cr_write", .access(1))]
        case .apicIPI:
            [("dst", .number(1, radix: 16)), ("vec", .vector(0))]
                + modes.enumerated().map { ($1, .bits(0, UInt64($0) << 8)) }
                + [
                    ("physical", .bits(0, 0)), ("logical", .bits(0, 1 << 11)), ("assert", .bits(0, 1 << 14)),
                    ("level", .bits(0, 1 << 15)), ("self", .bits(0, 1 << 18)), ("all", .bits(0, 2 << 18)),
                    ("all-but-self", .bits(0, 3 << 18)),
                ]
        case .apicAcceptIRQ, .apicvAcceptIRQ:
            [("apicid", .number(0, radix: 16)), ("vec", .number(2, radix: 10))]
                + modes.enumerated().map { ($1, .value(1, UInt64($0) << 8)) }
        case .injVIRQ:
            [
                ("irq", .number(0, radix: 10)), ("IRQ", .injected(soft: 0)), ("Soft/INTn", .injected(soft: 1)),
                ("reinjected", .value(2, 1)),
            ]
        case .eoi, .pvEOI: [("apicid", .number(0, radix: 16)), ("vector", .number(1, radix: 10))]
        case .apicvInhibitChanged: [("set", .value(1, 1)), ("cleared", .value(1, 0))]
        case .apicvUpdateRequest: [("activate", .value(0, 1)), ("deactivate", .value(0, 0))]
        case .vcpuWakeup: [("wait", .value(1, 1)), ("poll", .value(1, 0)), ("time", .number(0, radix: 10))]
        case .userspaceExit: [("reason", .userspaceReason(0))]
        case .avicIncompleteIPI: [("icrh", .pairOfNames(1, 2))]
        case .avicKickVCPUSlowpath: [("icrh", .pairOfNames(0, 1))]
        case .avicUnacceleratedAccess: [("write", .value(2, 1)), ("read", .value(2, 0))]
        case .avicDoorbell, .avicGALog: []
        case .piIRTEUpdate:
            [
                ("vcpu", .number(0, radix: 10)), ("gvec", .number(1, radix: 16)), ("enabled", .value(2, 1)),
                ("disabled", .value(2, 0)),
            ]
        }
    }
}
