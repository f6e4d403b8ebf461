// SPDX-License-Identifier: Apache-2.0

/// Why a guest stopped running: the basic exit reason of one ISA.
///
/// Numbers and names: arch/x86/include/uapi/asm/vmx.h and svm.h, 7.3.
public struct ExitReason: Hashable, Sendable {
    public var isa: ISA
    public var code: UInt32

    /// VMX keeps flags such as FAILED_VMENTRY above bit 15.
    @inline(__always)
    public init(isa: ISA, recorded: UInt32) {
        self.isa = isa
        code = isa == .svm ? recorded : recorded & 0xffff
    }

    @inline(__always)
    private init(_ isa: ISA, _ code: UInt32) {
        self.isa = isa
        self.code = code
    }

    public static let externalInterrupt = ExitReason(.vmx, 1)
    public static let initSignal = ExitReason(.vmx, 3)
    public static let sipiSignal = ExitReason(.vmx, 4)
    public static let interruptWindow = ExitReason(.vmx, 7)
    public static let hlt = ExitReason(.vmx, 12)
    public static let vmlaunch = ExitReason(.vmx, 20)
    public static let vmresume = ExitReason(.vmx, 24)
    public static let crAccess = ExitReason(.vmx, 28)
    public static let msrRead = ExitReason(.vmx, 31)
    public static let msrWrite = ExitReason(.vmx, 32)
    public static let apicAccess = ExitReason(.vmx, 44)
    public static let eoiInduced = ExitReason(.vmx, 45)
    public static let eptViolation = ExitReason(.vmx, 48)
    public static let eptMisconfig = ExitReason(.vmx, 49)
    public static let preemptionTimer = ExitReason(.vmx, 52)
    public static let apicWrite = ExitReason(.vmx, 56)

    public static let svmINTR = ExitReason(.svm, 0x60)
    public static let svmINIT = ExitReason(.svm, 0x63)
    public static let svmVINTR = ExitReason(.svm, 0x64)
    public static let svmHLT = ExitReason(.svm, 0x78)
    public static let svmVMRUN = ExitReason(.svm, 0x80)
    public static let svmNPF = ExitReason(.svm, 0x400)

    /// An interrupt for the host, or for L1 where L1 asked for such exits.
    @inline(__always)
    public var isExternalInterrupt: Bool { self == .externalInterrupt || self == .svmINTR }
    /// The guest can take an interrupt that KVM has been waiting to inject.
    public var isInterruptWindow: Bool { self == .interruptWindow || self == .svmVINTR }
    @inline(__always)
    public var isHLT: Bool { self == .hlt || self == .svmHLT }
    /// A fault in the nested or extended page tables.
    public var isPageFault: Bool { self == .eptViolation || self == .svmNPF }
    /// The exit tells of an access to a virtual-APIC page by itself.
    public var isAPICVirtualization: Bool { self == .apicAccess || self == .apicWrite }
    /// L1 asks to run L2.
    @inline(__always)
    public var startsL2: Bool { self == .vmlaunch || self == .vmresume || self == .svmVMRUN }

    /// An exit of this reason tells nothing but that it happened: two exits in three.
    @inline(__always)
    var isPlain: Bool {
        switch isa {
        case .vmx: code >= 64 || Self.tellingVMX &>> UInt64(code) & 1 == 0
        case .svm: self != .svmHLT && self != .svmVMRUN && self != .svmVINTR
        case .pvm, .unknown: true
        }
    }

    /// A bit for each of those above that tell more, as a constant: a stored one asks at each use whether it has been made yet.
    private static var tellingVMX: UInt64 {
        1 << 7 | 1 << 12 | 1 << 20 | 1 << 24 | 1 << 28 | 1 << 31 | 1 << 32 | 1 << 44 | 1 << 45 | 1 << 48 | 1 << 52 | 1
            << 56
    }

    /// KVM's name for it, e.g. `EPT_MISCONFIG` or `npf`; the number where there is none.
    public var name: String {
        switch isa {
        case .svm: Self.svmNames[code] ?? "0x" + String(code, radix: 16)
        case .vmx: Self.vmxNames[code] ?? String(code)
        case .pvm, .unknown: String(code)
        }
    }
}

extension ExitReason {
    /// VMX_EXIT_REASONS, 7.3; PENDING_INTERRUPT of older kernels is INTERRUPT_WINDOW's number.
    static let vmxNames: [UInt32: String] = [
        0: "EXCEPTION_NMI", 1: "EXTERNAL_INTERRUPT", 2: "TRIPLE_FAULT", 3: "INIT_SIGNAL", 4: "SIPI_SIGNAL",
        7: "INTERRUPT_WINDOW", 8: "NMI_WINDOW", 9: "TASK_SWITCH", 10: "CPUID", 12: "HLT", 13: "INVD", 14: "INVLPG",
        15: "RDPMC", 16: "RDTSC", 18: "VMCALL", 19: "VMCLEAR", 20: "VMLAUNCH", 21: "VMPTRLD", 22: "VMPTRST",
        23: "VMREAD", 24: "VMRESUME", 25: "VMWRITE", 26: "VMOFF", 27: "VMON", 28: "CR_ACCESS", 29: "DR_ACCESS",
        30: "IO_INSTRUCTION", 31: "MSR_READ", 32: "MSR_WRITE", 33: "INVALID_STATE", 34: "MSR_LOAD_FAIL",
        36: "MWAIT_INSTRUCTION", 37: "MONITOR_TRAP_FLAG", 39: "MONITOR_INSTRUCTION", 40: "PAUSE_INSTRUCTION",
        41: "MCE_DURING_VMENTRY", 43: "TPR_BELOW_THRESHOLD", 44: "APIC_ACCESS", 45: "EOI_INDUCED", 46: "GDTR_IDTR",
        47: "LDTR_TR", 48: "EPT_VIOLATION", 49: "EPT_MISCONFIG", 50: "INVEPT", 51: "RDTSCP", 52: "PREEMPTION_TIMER",
        53: "INVVPID", 54: "WBINVD", 55: "XSETBV", 56: "APIC_WRITE", 57: "RDRAND", 58: "INVPCID", 59: "VMFUNC",
        60: "ENCLS", 61: "RDSEED", 62: "PML_FULL", 63: "XSAVES", 64: "XRSTORS", 67: "UMWAIT", 68: "TPAUSE",
        74: "BUS_LOCK", 75: "NOTIFY", 77: "TDCALL", 84: "MSR_READ_IMM", 85: "MSR_WRITE_IMM",
    ]

    /// SVM_EXIT_REASONS, 7.3.
    static let svmNames: [UInt32: String] = [
        0x000: "read_cr0", 0x002: "read_cr2", 0x003: "read_cr3", 0x004: "read_cr4", 0x008: "read_cr8",
        0x010: "write_cr0", 0x012: "write_cr2", 0x013: "write_cr3", 0x014: "write_cr4", 0x018: "write_cr8",
        0x020: "read_dr0", 0x021: "read_dr1", 0x022: "read_dr2", 0x023: "read_dr3", 0x024: "read_dr4",
        0x025: "read_dr5", 0x026: "read_dr6", 0x027: "read_dr7", 0x030: "write_dr0", 0x031: "write_dr1",
        0x032: "write_dr2", 0x033: "write_dr3", 0x034: "write_dr4", 0x035: "write_dr5", 0x036: "write_dr6",
        0x037: "write_dr7", 0x40: "DE excp", 0x41: "DB excp", 0x43: "BP excp", 0x44: "OF excp", 0x45: "BR excp",
        0x46: "UD excp", 0x47: "NM excp", 0x48: "DF excp", 0x4a: "TS excp", 0x4b: "NP excp", 0x4c: "SS excp",
        0x4d: "GP excp", 0x4e: "PF excp", 0x50: "MF excp", 0x51: "AC excp", 0x52: "MC excp", 0x53: "XF excp",
        0x060: "interrupt", 0x061: "nmi", 0x062: "smi", 0x063: "init", 0x064: "vintr", 0x065: "cr0_sel_write",
        0x066: "read_idtr", 0x067: "read_gdtr", 0x068: "read_ldtr", 0x069: "read_rt", 0x06a: "write_idtr",
        0x06b: "write_gdtr", 0x06c: "write_ldtr", 0x06d: "write_rt", 0x06e: "rdtsc", 0x06f: "rdpmc", 0x070: "pushf",
        0x071: "popf", 0x072: "cpuid", 0x073: "rsm", 0x074: "iret", 0x075: "swint", 0x076: "invd", 0x077: "pause",
        0x078: "hlt", 0x079: "invlpg", 0x07a: "invlpga", 0x07b: "io", 0x07c: "msr", 0x07d: "task_switch",
        0x07e: "ferr_freeze", 0x07f: "shutdown", 0x080: "vmrun", 0x081: "hypercall", 0x082: "vmload", 0x083: "vmsave",
        0x084: "stgi", 0x085: "clgi", 0x086: "skinit", 0x087: "rdtscp", 0x088: "icebp", 0x089: "wbinvd",
        0x08a: "monitor", 0x08b: "mwait", 0x08d: "xsetbv", 0x08f: "write_efer_trap", 0x090: "write_cr0_trap",
        0x094: "write_cr4_trap", 0x098: "write_cr8_trap", 0x0a2: "invpcid", 0x0a5: "buslock", 0x0a6: "idle-halt",
        0x400: "npf", 0x401: "avic_incomplete_ipi", 0x402: "avic_unaccelerated_access", 0x403: "vmgexit",
        0x8000_0001: "vmgexit_mmio_read", 0x8000_0002: "vmgexit_mmio_write", 0x8000_0003: "vmgexit_nmi_complete",
        0x8000_0004: "vmgexit_ap_hlt_loop", 0x8000_0005: "vmgexit_ap_jump_table",
        0x8000_0010: "vmgexit_page_state_change", 0x8000_0011: "vmgexit_guest_request",
        0x8000_0012: "vmgexit_ext_guest_request", 0x8000_0013: "vmgexit_ap_creation",
        0x8000_fffd: "vmgexit_hypervisor_feature", 0xffff_ffff: "invalid_guest_state",
    ]
}

/// The host's virtualisation extension, as `kvm_exit` numbers it (arch/x86/kvm/trace.h: KVM_ISA_VMX, KVM_ISA_SVM).
public enum ISA: String, CaseIterable, Codable, Sendable {
    case vmx, svm
    /// Out-of-tree software virtualisation: supervisor code of the guest is emulated without `kvm_exit`.
    case pvm
    case unknown

    /// As ``init(recorded:)`` takes it, 0 for unknown.
    var recorded: UInt32 {
        switch self {
        case .vmx: 1
        case .svm: 2
        case .pvm: 3
        case .unknown: 0
        }
    }

    public init(recorded: UInt32) {
        switch recorded {
        case 1: self = .vmx
        case 2: self = .svm
        case 3: self = .pvm
        default: self = .unknown
        }
    }
}
