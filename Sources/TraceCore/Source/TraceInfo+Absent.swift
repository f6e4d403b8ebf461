// SPDX-License-Identifier: Apache-2.0

extension TraceInfo {
    /// Kinds that the traced kernel has no event for on VMX, as far as its release tells, or the layout of its formats: no
    /// recording of that kernel has them.
    public var absentKinds: EventKindSet {
        let absent: EventKindSet
        if hasLayoutsBefore510 {
            absent = EventKindSet(.nestedVMEnter, .apicvInhibitChanged, .apicvAcceptIRQ)
        } else if let kernel, !KernelRelease.isFrozenBase(uname: kernel), let release = KernelRelease(uname: kernel) {
            absent =
                release < KernelRelease(5, 17)
                ? EventKindSet(.nestedVMEnter, .apicvInhibitChanged, .apicvAcceptIRQ)
                : release < KernelRelease(6, 0) ? EventKindSet(.nestedVMEnter) : []
        } else {
            absent = []
        }
        return absent.subtracting(recordedKinds)
    }

    /// kvm_entry had no rip, and kvm_nested_vmexit fields of its own. A release may only be the base of later code.
    private var hasLayoutsBefore510: Bool {
        formatFields.contains("kvm_nested_vmexit.exit_code")
            || formatFields.contains("kvm_entry.vcpu_id") && !formatFields.contains("kvm_entry.rip")
    }
}
