// SPDX-License-Identifier: Apache-2.0

/// Words of a vCPU's virtual-APIC page at a moment when they prove something, read in the kernel by live tracing.
public struct LAPICWords: Equatable, Sendable {
    public enum Occasion: Equatable, Sendable {
        /// `kvm_exit` that ends a run of L1: the CPU has just stored VPPR.
        case l1Exit
        /// `kvm_entry` into L2: posted interrupts have been folded into vIRR.
        case l2Entry(Pending)
    }

    /// What makes KVM look at vIRR again before or right after the entry, or keeps it from injecting on purpose.
    public struct Pending: OptionSet, Sendable {
        public let rawValue: UInt16

        public init(rawValue: UInt16) {
            self.rawValue = rawValue
        }

        /// `KVM_REQ_EVENT`.
        public static let request = Pending(rawValue: 1 << 0)
        public static let immediateExit = Pending(rawValue: 1 << 1)
        public static let nestedRun = Pending(rawValue: 1 << 2)
        /// `KVM_GUESTDBG_BLOCKIRQ`.
        public static let blockIRQ = Pending(rawValue: 1 << 3)
        /// An interrupt-window exit is armed.
        public static let interruptWindow = Pending(rawValue: 1 << 4)
    }

    public var vcpu: Int32
    public var occasion: Occasion
    /// Vectors 0 to 255, 32 a word.
    public var irr: SIMD8<UInt32>
    public var isr: SIMD8<UInt32>
    public var tpr: UInt32
    /// The stored word, not computed from TPR and ISR.
    public var ppr: UInt32

    public init(
        vcpu: Int32, occasion: Occasion, irr: SIMD8<UInt32>, isr: SIMD8<UInt32>, tpr: UInt32, ppr: UInt32
    ) {
        self.vcpu = vcpu
        self.occasion = occasion
        self.irr = irr
        self.isr = isr
        self.tpr = tpr
        self.ppr = ppr
    }
}
