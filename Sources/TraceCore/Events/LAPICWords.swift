// SPDX-License-Identifier: Apache-2.0

/// A vCPU's local APIC as its memory shows it: the words that the proofs from memory (C1, C2) are judged on.
public struct LAPICWords: Equatable, Sendable, CustomStringConvertible {
    /// IRR at 0x200 + 0x10 * i, 32 vectors each, and ISR at 0x100 + 0x10 * i.
    public var irr: VectorSet
    public var isr: VectorSet
    /// Task priority at 0x80. On SVM: V_TPR << 4.
    public var tpr: UInt8
    /// Processor priority as stored at 0xa0; on VMX with APICv, VPPR as of the last exit.
    public var ppr: UInt8

    public init(irr: VectorSet, isr: VectorSet, tpr: UInt8, ppr: UInt8) {
        self.irr = irr
        self.isr = isr
        self.tpr = tpr
        self.ppr = ppr
    }

    /// With the given vectors set.
    public init(irr: [UInt8], isr: [UInt8], tpr: UInt8, ppr: UInt8) {
        self.init(irr: VectorSet(irr), isr: VectorSet(isr), tpr: tpr, ppr: ppr)
    }

    /// The priority that TPR and ISR call for (SDM 10.8.3.1, apic_get_ppr semantics of arch/x86/kvm/lapic.c).
    public var computedPPR: UInt8 {
        let inService = (isr.highest ?? 0) & 0xf0
        return tpr & 0xf0 >= inService ? tpr : inService
    }

    /// A requested vector that the computed priority lets through.
    public var deliverable: UInt8? {
        guard let vector = irr.highest, vector.priorityClass > computedPPR.priorityClass else { return nil }
        return vector
    }

    /// `vIRR 0x41, vISR none, VTPR 0x00, VPPR 0x50`.
    public var description: String {
        "vIRR \(Self.list(irr)), vISR \(Self.list(isr)), VTPR \(tpr.hex), VPPR \(ppr.hex)"
    }

    /// Highest first, for that is what counts.
    private static func list(_ set: VectorSet) -> String {
        let vectors = set.vectors
        let shown = vectors.reversed().prefix(4).map(\.hex).joined(separator: " ")
        return vectors.isEmpty ? "none" : vectors.count > 4 ? shown + " ..." : shown
    }
}
