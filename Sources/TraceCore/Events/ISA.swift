// SPDX-License-Identifier: Apache-2.0

/// The host's virtualisation extension, as `kvm_exit` numbers it (arch/x86/kvm/trace.h: KVM_ISA_VMX, KVM_ISA_SVM).
public enum ISA: String, CaseIterable, Codable, Sendable {
    case vmx, svm
    /// Out-of-tree software virtualisation: supervisor code of the guest is emulated without `kvm_exit`.
    case pvm
    case unknown

    /// As ``init(recorded:)`` takes it, 0 for unknown.
    var recorded: UInt32 {
        switch self {
        case .vmx: 1
        case .svm: 2
        case .pvm: 3
        case .unknown: 0
        }
    }

    public init(recorded: UInt32) {
        switch recorded {
        case 1: self = .vmx
        case 2: self = .svm
        case 3: self = .pvm
        default: self = .unknown
        }
    }
}
