// SPDX-License-Identifier: Apache-2.0

/// A vCPU's local APIC words, as KVM holds them in memory, read in the kernel by live tracing.
///
/// At the moments when they may prove something they are reported when they look wrong, and once more when they no longer do: a
/// reading in between was sound.
public struct LAPICReading: Equatable, Sendable {
    public enum Occasion: Equatable, Sendable {
        /// `kvm_exit` that ends a run of L1 with virtual-interrupt delivery: the CPU has just stored VPPR.
        case l1Exit
        /// `kvm_entry` into L2, where posted interrupts have been folded into vIRR. The entry itself comes next.
        case l2Entry(Pending)
        /// Any `kvm_exit`, where every reading was asked for. It proves nothing by itself.
        case exit
        /// A vCPU that sleeps in HLT, read when it had slept on an interrupt for long. Interrupts that were posted and wait in
        /// PIR are among the requested ones.
        case asleep
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
    public var words: LAPICWords
    /// RFLAGS.IF of the guest; nil where KVM hasn't read it since the guest ran.
    public var interruptFlag: Bool?
    /// SPIV's enable bit; nil in recordings of versions that didn't read it.
    public var isAPICEnabled: Bool?

    public init(
        vcpu: Int32, occasion: Occasion, words: LAPICWords, interruptFlag: Bool? = nil, isAPICEnabled: Bool? = nil
    ) {
        self.vcpu = vcpu
        self.occasion = occasion
        self.words = words
        self.interruptFlag = interruptFlag
        self.isAPICEnabled = isAPICEnabled
    }
}
