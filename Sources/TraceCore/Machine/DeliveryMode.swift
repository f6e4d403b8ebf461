// SPDX-License-Identifier: Apache-2.0

/// How an interrupt message is to be delivered: ICR bits 10:8 (APIC_DM_* in arch/x86/include/asm/apicdef.h).
public enum DeliveryMode: UInt16, Sendable {
    case fixed = 0x000
    case lowest = 0x100
    case smi = 0x200
    case remoteRead = 0x300
    case nmi = 0x400
    case `init` = 0x500
    case sipi = 0x600
    case extint = 0x700

    public init(icr: UInt32) {
        self = DeliveryMode(rawValue: UInt16(truncatingIfNeeded: icr & 0x700)) ?? .fixed
    }

    /// Fixed and lowest-priority interrupts go through IRR and ISR.
    public var hasVector: Bool { self == .fixed || self == .lowest }

    public var name: String {
        switch self {
        case .fixed: "fixed"
        case .lowest: "lowest"
        case .smi: "smi"
        case .remoteRead: "remote-read"
        case .nmi: "nmi"
        case .`init`: "init"
        case .sipi: "sipi"
        case .extint: "extint"
        }
    }
}
