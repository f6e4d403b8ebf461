// SPDX-License-Identifier: Apache-2.0

/// Whether the running kernel has the fix of mainline 04bc93cf49d1 (an EOI for L1 while L2 runs updates vmcs01's SVI).
///
/// Told from the members of kvm_intel's `struct nested_vmx` (arch/x86/kvm/vmx/vmx.h, 5.4 to 7.3).
struct SVIFix: Equatable, Sendable {
    enum State: String, Sendable {
        case present, absent, unknown
    }

    var state: State
    var evidence: String

    init(_ types: borrowing KernelTypes) {
        self.init(
            hasDeferredUpdate: types.hasMember("update_vmcs01_hwapic_isr", of: "nested_vmx"),
            hasDeferredMode: types.hasMember("change_vmcs01_virtual_apic_mode", of: "nested_vmx"))
    }

    /// - Parameters:
    ///   - hasDeferredUpdate: `update_vmcs01_hwapic_isr` is a member; nil where the struct is unknown.
    ///   - hasDeferredMode: `change_vmcs01_virtual_apic_mode` is, as in every kernel before 7.0.
    init(hasDeferredUpdate: Bool?, hasDeferredMode: Bool?) {
        switch (hasDeferredUpdate, hasDeferredMode) {
        case (true, _):
            self.init(state: .present, evidence: "nested_vmx.update_vmcs01_hwapic_isr")
        case (false, true):
            self.init(state: .absent, evidence: "nested_vmx has no update_vmcs01_hwapic_isr")
        case (false, false):
            self.init(state: .present, evidence: "nested_vmx defers no vmcs01 updates (7.0 and later)")
        default:
            self.init(state: .unknown, evidence: "no type information for kvm_intel")
        }
    }

    private init(state: State, evidence: String) {
        self.state = state
        self.evidence = evidence
    }
}
