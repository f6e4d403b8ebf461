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

    /// KVM's name for it, e.g. `EPT_MISCONFIG` or `npf`; the number where there is none.
    public var name: String {
        switch isa {
        case .svm: Self.svmNames[code] ?? "0x" + String(code, radix: 16)
        case .vmx: Self.vmxNames[code] ?? String(code)
        case .pvm, .unknown: String(code)
        }
    }
}
