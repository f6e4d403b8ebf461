// SPDX-License-Identifier: Apache-2.0

/// What a vCPU's APIC page is to one level, as the faults on it show: the mirror of ``FaultInTable`` for that page.
///
/// A claim about one (vCPU, level); the tables are shared between vCPUs, but each meets them by its own faults.
public struct APICPage: Sendable {
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

    /// The event that showed it, and when.
    public private(set) var shown: (by: EventKind, at: EventStamp)?

    /// What the current exit has shown so far: a fault on the page, and what was installed for it.
    private var fault: (by: EventKind, at: EventStamp)? {
        didSet { isInFault = fault != nil || installed != nil }
    }
    private var installed: (state: State, by: EventKind, at: EventStamp)? {
        didSet { isInFault = fault != nil || installed != nil }
    }
    /// There is something that the end of the exit will settle.
    private(set) var isInFault = false

    static let gfn = APICRegister.gfn

    public init() {}

    /// `kvm_page_fault` on the page.
    mutating func pageFault(hitsMMIOSPTE: Bool, at stamp: EventStamp) {
        fault = (.pageFault, stamp)
        installed = hitsMMIOSPTE ? (.mmioSPTE, .pageFault, stamp) : nil
    }

    /// A fault on the page is being handled, and nothing has been installed for it so far.
    var hasInstalledNothing: Bool { fault != nil && installed == nil }

    /// `mark_mmio_spte` for the page.
    mutating func markMMIOSPTE(at stamp: EventStamp) {
        installed = (.mmioSPTE, .markMMIOSPTE, stamp)
    }

    /// `kvm_mmu_set_spte` for the page.
    mutating func setSPTE(at stamp: EventStamp) {
        installed = (.mapped, .mmuSetSPTE, stamp)
    }

    /// `handle_mmio_page_fault` on the page: the MMIO SPTE is there.
    mutating func faultedOnMMIOSPTE(at stamp: EventStamp) {
        fault = (.handleMMIOPageFault, stamp)
        installed = (.mmioSPTE, .handleMMIOPageFault, stamp)
    }

    /// `kvm_nested_vmexit_inject` of the fault.
    mutating func forwarded(at stamp: EventStamp) -> Bool {
        defer { fault = nil }
        return fault != nil && become(.hookedByL1, by: .nestedVMExitInject, at: stamp)
    }

    /// `kvm_mmio` on the page: KVM emulated the access. `tellsInstalls`: mark_mmio_spte is recorded.
    mutating func emulated(at stamp: EventStamp, tellsInstalls: Bool) -> Bool {
        guard let fault else { return false }
        self.fault = nil
        if let installed { return become(installed.state, by: installed.by, at: installed.at) }
        // Row 6 of the table: no SPTE. Without mark_mmio_spte in the trace the two can't be distinguished.
        return tellsInstalls && become(.emulateOnly, by: fault.by, at: fault.at)
    }

    /// The exit is over. True where the state changed.
    mutating func exitHandled() -> Bool {
        defer {
            fault = nil
            installed = nil
        }
        guard let installed, installed.state == .mapped else { return false }
        return become(.mapped, by: installed.by, at: installed.at)
    }

    private mutating func become(_ new: State, by event: EventKind, at stamp: EventStamp) -> Bool {
        guard state != new else { return false }
        state = new
        since = stamp.time
        shown = (event, stamp)
        return true
    }
}
