// SPDX-License-Identifier: Apache-2.0

/// The names of a kernel's APICv inhibit bits, which were renumbered again and again.
///
/// The format's own text spells them from 6.12 on. Before that several orders are possible until something settles it;
/// a bit on which they disagree has no certain name.
///
/// Source: `enum kvm_apicv_inhibit` (APICV_INHIBIT_REASON_*) in arch/x86/include/asm/kvm_host.h, 5.10 to 7.2, and
/// arch/x86/kvm/x86.h, 7.3. Bits 0 and 1 are the only ones that kept their meaning.
public struct InhibitNames: Equatable, Sendable {
    /// The orders that the traced kernel may have, by bit.
    private var possible: [[String]]
    /// Every bit that is KVM_GUESTDBG_BLOCKIRQ's inhibit or may be, nil where none can be.
    public private(set) var blockIRQ: UInt64?

    static let from510 = ["DISABLE", "HYPERV", "NESTED", "IRQWIN", "PIT_REINJ", "X2APIC"]
    static let from518 = from510 + ["BLOCKIRQ", "ABSENT"]
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

    /// - Parameters:
    ///   - spelled: names by bit, where the format's text or the kernel's types have them; an empty one is unknown.
    ///   - kernel: the `uname` line.
    ///   - tellsMasks: `kvm_apicv_inhibit_changed` is recorded. It exists since 5.18: a lower release with it is a
    ///     distributor's, who took it from a later kernel, and says nothing of the order.
    public init(spelled: [String], kernel: String?, tellsMasks: Bool = true) {
        possible =
            if !spelled.isEmpty {
                [spelled]
            } else if !tellsMasks {
                // kvm_apicv_update_request, 5.10 to 5.17; the last two added to their bits.
                [Self.from510, Self.from518]
            } else {
                Self.order(of: kernel).map { [$0] } ?? [Self.from518, Self.from519, Self.from61, Self.from65]
            }
        blockIRQ = Self.blockIRQ(possible)
    }

    init(_ info: TraceInfo) {
        self.init(
            spelled: info.inhibitNames, kernel: info.kernel,
            tellsMasks: info.recordedKinds.contains(.apicvInhibitChanged))
    }

    /// A VM was created before our eyes: its first inhibit is ABSENT, which leaves the orders that number it so.
    mutating func settle(absent bit: Int) {
        let left = possible.filter { $0.indices.contains(bit) && $0[bit] == "ABSENT" }
        guard !left.isEmpty else { return }
        possible = left
        blockIRQ = Self.blockIRQ(left)
    }

    /// The bit's name, nil where it is not certain.
    func certainName(bit: Int) -> String? {
        guard let name = possible.first.flatMap({ $0.indices.contains(bit) ? $0[bit] : nil }), !name.isEmpty,
            possible.allSatisfy({ $0.indices.contains(bit) && $0[bit] == name })
        else { return nil }
        return name
    }

    /// The names that are certain, whether or not their bits were ever set.
    public var certainNames: [String] {
        (possible.first?.indices).map { $0.compactMap(certainName) } ?? []
    }

    /// `BLOCKIRQ`, or `bit 3` where the name is not certain.
    public func name(bit: Int) -> String {
        certainName(bit: bit) ?? "bit \(bit)"
    }

    /// The names of the bits that are set, lowest first.
    public func names(of mask: UInt64) -> [String] {
        (0..<64).filter { mask & 1 << UInt64($0) != 0 }.map(name)
    }

    /// The mask says that KVM has no local APIC for the VM's vCPUs, and nothing else. Beside DISABLE it is never cleared
    /// (kvm_apicv_init and kvm_clear_apicv_inhibit, arch/x86/kvm/x86.c, 5.19 to 6.8).
    func isAbsent(mask: UInt64) -> Bool {
        mask.nonzeroBitCount == 1 && certainName(bit: mask.trailingZeroBitCount) == "ABSENT"
    }

    func mayBeAbsent(bit: Int) -> Bool {
        possible.contains { $0.indices.contains(bit) && $0[bit] == "ABSENT" }
    }

    /// The reason that KVM sets where L2 reaches L1's APIC, told by its name, whatever its number. No kernel up to 7.3 has one; the
    /// patch of 2023 calls it L2_PASSTHROUGH_ACCESS.
    public var onL2Access: (name: String, bit: Int)? {
        guard possible.count == 1, let bit = possible[0].firstIndex(where: Self.isOnL2Access) else { return nil }
        return (possible[0][bit], bit)
    }

    /// It speaks of L2 or of a nested guest, and of what that does: NESTED alone is AVIC's, which is off while L2 runs.
    private static func isOnL2Access(_ name: String) -> Bool {
        let words = Set(name.split(separator: "_"))
        return !words.isDisjoint(with: ["L2", "NESTED"])
            && !words.isDisjoint(with: ["ACCESS", "APIC", "PASSTHROUGH", "DIRECT", "MMIO"])
    }

    private static func blockIRQ(_ orders: [[String]]) -> UInt64? {
        let bits = orders.compactMap { $0.firstIndex(of: "BLOCKIRQ") }
        return bits.isEmpty ? nil : bits.reduce(0) { $0 | 1 << UInt64($1) }
    }

    /// The order of a kernel that has the event and whose release is that of its source.
    private static func order(of kernel: String?) -> [String]? {
        guard let kernel, !KernelRelease.isFrozenBase(uname: kernel), let release = KernelRelease(uname: kernel) else {
            return nil
        }
        return switch release {
        case ..<KernelRelease(5, 18): nil
        case ..<KernelRelease(5, 19): from518
        case ..<KernelRelease(6, 0): from519
        case ..<KernelRelease(6, 3): from61
        case ..<KernelRelease(6, 12): from65
        case ..<KernelRelease(6, 15): from612
        default: from617
        }
    }
}
