// SPDX-License-Identifier: Apache-2.0

/// A local APIC register by its xAPIC offset, by the names of arch/x86/include/asm/apicdef.h (TPR and PPR as the SDM has them).
public struct APICRegister: Hashable, Sendable {
    /// 0x000 to 0xff0, a multiple of 16.
    public var offset: UInt32

    public static let id = APICRegister(offset: 0x20)
    public static let tpr = APICRegister(offset: 0x80)
    public static let eoi = APICRegister(offset: 0xb0)
    static let spiv = APICRegister(offset: 0xf0)
    public static let icr = APICRegister(offset: 0x300)

    /// The guest frame of the page that they fill, where no guest has moved it.
    static let gfn: UInt64 = 0xfee00

    /// Registers are 16 bytes apart, so 256 of them fill the page.
    static let count = 256

    public init(offset: UInt32) {
        self.offset = offset & 0xff0
    }

    init(index: Int) {
        self.init(offset: UInt32(truncatingIfNeeded: index) << 4)
    }

    /// The register behind an x2APIC MSR (0x800 to 0x8ff), nil for other MSRs.
    init?(msr index: UInt32) {
        guard index >> 8 == 0x8 else { return nil }
        self.init(offset: (index & 0xff) << 4)
    }

    var index: Int { Int(offset >> 4) }

    /// The first of those that share its name: ISR, TMR and IRR have eight each.
    var firstOfName: APICRegister { (0x100..<0x280).contains(offset) ? APICRegister(offset: offset & ~0x7f) : self }

    /// The kernel's name without `APIC_`, e.g. `EOI`; the offset where it has none.
    public var name: String {
        if let name = Self.names[offset] { return name }
        switch offset {
        case 0x100..<0x180: return "ISR"
        case 0x180..<0x200: return "TMR"
        case 0x200..<0x280: return "IRR"
        default: return "0x" + String(offset, radix: 16)
        }
    }

    private static let names: [UInt32: String] = [
        0x20: "ID", 0x30: "LVR", 0x80: "TPR", 0x90: "ARBPRI", 0xa0: "PPR", 0xb0: "EOI", 0xc0: "RRR", 0xd0: "LDR",
        0xe0: "DFR", 0xf0: "SPIV", 0x280: "ESR", 0x2f0: "LVTCMCI", 0x300: "ICR", 0x310: "ICR2", 0x320: "LVTT",
        0x330: "LVTTHMR", 0x340: "LVTPC", 0x350: "LVT0", 0x360: "LVT1", 0x370: "LVTERR", 0x380: "TMICT",
        0x390: "TMCCT", 0x3e0: "TDCR", 0x3f0: "SELF_IPI", 0x400: "EFEAT", 0x410: "ECTRL",
    ]
}
