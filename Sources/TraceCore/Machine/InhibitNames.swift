// SPDX-License-Identifier: Apache-2.0

/// The names of a kernel's APICv inhibit bits, which were renumbered again and again.
///
/// Source: `enum kvm_apicv_inhibit` (APICV_INHIBIT_REASON_*) in arch/x86/include/asm/kvm_host.h, 5.10 to 7.2, and
/// arch/x86/kvm/x86.h, 7.3. Bit 0 is the only one that kept its meaning.
public struct InhibitNames: Equatable, Sendable {
    private let names: [String]

    static let from510 = ["DISABLE", "HYPERV", "NESTED", "IRQWIN", "PIT_REINJ", "X2APIC"]
    static let from519 = [
        "DISABLE", "HYPERV", "ABSENT", "BLOCKIRQ", "APIC_ID_MODIFIED", "APIC_BASE_MODIFIED", "NESTED", "IRQWIN",
        "PIT_REINJ", "X2APIC", "SEV",
    ]
    static let from61 = [
        "DISABLE", "HYPERV", "ABSENT", "BLOCKIRQ", "APIC_ID_MODIFIED", "APIC_BASE_MODIFIED", "NESTED", "IRQWIN",
        "PIT_REINJ", "SEV",
    ]
    static let from65 = [
        "DISABLE", "HYPERV", "ABSENT", "BLOCKIRQ", "PHYSICAL_ID_ALIASED", "APIC_ID_MODIFIED", "APIC_BASE_MODIFIED",
        "NESTED", "IRQWIN", "PIT_REINJ", "SEV", "LOGICAL_ID_ALIASED",
    ]
    static let from612 = ["DISABLED"] + from65.dropFirst()
    static let from617 = from612 + ["PHYSICAL_ID_TOO_BIG"]

    /// The table of a kernel: what its format text spells where it does, else that of its release.
    public init(spelled: [String], release: KernelRelease?) {
        guard spelled.isEmpty else {
            names = spelled
            return
        }
        switch release {
        case .some(..<KernelRelease(5, 18)): names = Self.from510
        case .some(..<KernelRelease(6, 0)): names = Self.from519
        case .some(..<KernelRelease(6, 3)): names = Self.from61
        case .some(..<KernelRelease(6, 12)): names = Self.from65
        case .some(..<KernelRelease(6, 15)): names = Self.from612
        case .some: names = Self.from617
        case nil: names = []
        }
    }

    public func name(bit: Int) -> String {
        names.indices.contains(bit) ? names[bit] : "bit \(bit)"
    }

    /// The names of the bits that are set, lowest first.
    public func names(of mask: UInt64) -> [String] {
        (0..<64).filter { mask & 1 << UInt64($0) != 0 }.map(name)
    }

    /// The bit of KVM_GUESTDBG_BLOCKIRQ's inhibit, nil before it existed or where the table isn't known.
    public var blockIRQ: UInt64? {
        names.firstIndex(of: "BLOCKIRQ").map { 1 << UInt64($0) }
    }
}
