// SPDX-License-Identifier: Apache-2.0

/// How an interrupt message is to be delivered: ICR bits 10:8, by the names that KVM prints (kvm_deliver_mode in
/// arch/x86/kvm/trace.h).
public enum DeliveryMode: String, CaseIterable, Codable, Sendable {
    case fixed, lowest, smi, remrd, nmi, `init`, sipi, extint

    /// The mode in a word laid out like the low half of the ICR.
    public init(icrLow: UInt32) {
        self = Self.allCases[Int(icrLow >> 8 & 7)]
    }

    /// Fixed and lowest-priority interrupts go through IRR and ISR.
    public var hasVector: Bool { self == .fixed || self == .lowest }
}
