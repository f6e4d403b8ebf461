// SPDX-License-Identifier: Apache-2.0

/// A vCPU's local APIC as its memory shows it: the words that the proofs from memory (C1, C2) are judged on.
public struct LAPICWords: Equatable, Sendable, CustomStringConvertible {
    /// IRR at 0x200 + 0x10 * i, 32 vectors each, and ISR at 0x100 + 0x10 * i.
    public var irr: [UInt32]
    public var isr: [UInt32]
    /// Task priority at 0x80. On SVM: V_TPR << 4.
    public var tpr: UInt8
    /// Processor priority as stored at 0xa0; on VMX with APICv, VPPR as of the last exit.
    public var ppr: UInt8

    public init(irr: [UInt32], isr: [UInt32], tpr: UInt8, ppr: UInt8) {
        self.irr = irr
        self.isr = isr
        self.tpr = tpr
        self.ppr = ppr
    }

    /// With the given vectors set.
    public init(irr: [UInt8], isr: [UInt8], tpr: UInt8, ppr: UInt8) {
        self.init(irr: Self.words(irr), isr: Self.words(isr), tpr: tpr, ppr: ppr)
    }

    public var highestIRR: UInt8? { Self.highest(irr) }
    public var highestISR: UInt8? { Self.highest(isr) }

    /// The priority that TPR and ISR call for (SDM 10.8.3.1, apic_get_ppr semantics of arch/x86/kvm/lapic.c).
    public var computedPPR: UInt8 {
        let inService = (highestISR ?? 0) & 0xf0
        return tpr & 0xf0 >= inService ? tpr : inService
    }

    /// A requested vector that the computed priority lets through.
    public var deliverable: UInt8? {
        guard let vector = highestIRR, vector & 0xf0 > computedPPR & 0xf0 else { return nil }
        return vector
    }

    /// IRR has the vector.
    func requests(_ vector: UInt8) -> Bool {
        irr.indices.contains(Int(vector >> 5)) && irr[Int(vector >> 5)] & 1 << UInt32(vector & 31) != 0
    }

    public var irrVectors: [UInt8] { Self.vectors(irr) }
    public var isrVectors: [UInt8] { Self.vectors(isr) }

    /// `vIRR 0x41, vISR none, VTPR 0x00, VPPR 0x50`.
    public var description: String {
        "vIRR \(Self.list(irrVectors)), vISR \(Self.list(isrVectors)), VTPR \(tpr.hex), VPPR \(ppr.hex)"
    }

    /// Highest first, for that is what counts.
    private static func list(_ vectors: [UInt8]) -> String {
        let shown = vectors.reversed().prefix(4).map(\.hex).joined(separator: " ")
        return vectors.isEmpty ? "none" : vectors.count > 4 ? shown + " ..." : shown
    }

    private static func vectors(_ words: [UInt32]) -> [UInt8] {
        (UInt8.min...UInt8.max).filter { vector in
            words.indices.contains(Int(vector >> 5)) && words[Int(vector >> 5)] & 1 << UInt32(vector & 31) != 0
        }
    }

    private static func words(_ vectors: [UInt8]) -> [UInt32] {
        var words = [UInt32](repeating: 0, count: 8)
        for vector in vectors { words[Int(vector >> 5)] |= 1 << UInt32(vector & 31) }
        return words
    }

    private static func highest(_ words: [UInt32]) -> UInt8? {
        for (index, word) in words.prefix(8).enumerated().reversed() where word != 0 {
            return UInt8(truncatingIfNeeded: index * 32 + 31 - word.leadingZeroBitCount)
        }
        return nil
    }
}
