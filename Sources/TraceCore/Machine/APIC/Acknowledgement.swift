// SPDX-License-Identifier: Apache-2.0

/// How a trace shows that a vector moved from IRR to ISR.
public enum Acknowledgement: Equatable, Sendable {
    /// KVM injected it (`kvm_inj_virq`), having chosen it by ISR and the task priority.
    case injected
    /// The same, told by `kvm_entry.intr_info` alone (6.14 and later).
    case injectedAtEntry
    /// KVM handed it to L1 together with the exit (acknowledge-on-exit). KVM chose it in the same way.
    case withExit
    /// L1 took it in silence after a reflected exit, and passed it on to L2. Hardware chose it, by SVI.
    case passedOn

    /// KVM itself put it into the guest that runs.
    var isInjection: Bool { self == .injected || self == .injectedAtEntry }

    /// The event that shows it.
    var event: EventKind {
        switch self {
        case .injected: .injVIRQ
        case .injectedAtEntry: .entry
        case .withExit: .nestedVMExitInject
        case .passedOn: .nestedVMEnter
        }
    }
}
