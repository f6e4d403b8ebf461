// SPDX-License-Identifier: Apache-2.0

/// What a vCPU's APIC page is to one level, as the faults on it show: the mirror of ``FaultInTable`` for that page.
///
/// A claim about one (vCPU, level); the tables are shared between vCPUs, but each meets them by its own faults.
public struct APICPage: Equatable, Sendable {
    public enum State: String, Sendable {
        case untouched
        /// The fault was handed to L1, which emulates the access itself.
        case hookedByL1
        /// An ordinary SPTE: hardware virtualises the accesses.
        case mapped
        /// Emulated without an SPTE, since APICv is inhibited.
        case emulateOnly
        /// An MMIO SPTE: KVM emulates every access.
        case mmioSPTE
    }

    public private(set) var state: State = .untouched
    /// Since when, nil while untouched.
    public private(set) var since: UInt64?

    /// What the current exit has shown so far of a fault on the page.
    private var faulting = false
    private var installed: State?

    static let gfn: UInt64 = 0xfee00

    public init() {}

    /// `kvm_page_fault` on the page.
    mutating func pageFault(hitsMMIOSPTE: Bool) {
        faulting = true
        installed = hitsMMIOSPTE ? .mmioSPTE : nil
    }

    /// A fault on the page is being handled, and nothing has been installed for it so far.
    var hasInstalledNothing: Bool { faulting && installed == nil }

    /// `mark_mmio_spte` for the page.
    mutating func markMMIOSPTE() {
        installed = .mmioSPTE
    }

    /// `kvm_mmu_set_spte` for the page.
    mutating func setSPTE() {
        installed = .mapped
    }

    /// `handle_mmio_page_fault` on the page, or EPT_MISCONFIG followed by an access to it: the MMIO SPTE is there.
    mutating func hitMMIOSPTE() {
        faulting = true
        installed = .mmioSPTE
    }

    /// `kvm_nested_vmexit_inject` of the fault.
    mutating func forwarded(at time: UInt64) -> Bool {
        defer { faulting = false }
        return faulting && become(.hookedByL1, at: time)
    }

    /// `kvm_mmio` on the page: KVM emulated the access. `tellsInstalls`: mark_mmio_spte is recorded.
    mutating func emulated(at time: UInt64, tellsInstalls: Bool) -> Bool {
        guard faulting else { return false }
        faulting = false
        if let installed { return become(installed, at: time) }
        // Row 6 of the table: no SPTE. Without mark_mmio_spte in the trace the two can't be told apart.
        return tellsInstalls && become(.emulateOnly, at: time)
    }

    /// The exit is over. True where the state changed.
    @inline(__always)
    mutating func exitHandled(at time: UInt64) -> Bool {
        if !faulting, installed == nil { return false }
        return finishExit(at: time)
    }

    private mutating func finishExit(at time: UInt64) -> Bool {
        defer {
            faulting = false
            installed = nil
        }
        return installed == .mapped && become(.mapped, at: time)
    }

    private mutating func become(_ new: State, at time: UInt64) -> Bool {
        guard state != new else { return false }
        state = new
        since = time
        return true
    }
}
