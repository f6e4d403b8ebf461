// SPDX-License-Identifier: Apache-2.0
import TraceCore

extension FixState {
    /// What the running kernel's types say: the members of kvm_intel's `struct nested_vmx` (arch/x86/kvm/vmx/vmx.h).
    init(_ types: borrowing KernelTypes) {
        self.init(
            hasDeferredUpdate: types.hasMember("update_vmcs01_hwapic_isr", of: "nested_vmx"),
            hasDeferredMode: types.hasMember("change_vmcs01_virtual_apic_mode", of: "nested_vmx"))
    }

    /// - Parameters:
    ///   - hasDeferredUpdate: `update_vmcs01_hwapic_isr` is a member, as the fix adds it; nil where the struct is unknown.
    ///   - hasDeferredMode: `change_vmcs01_virtual_apic_mode` is, as in every kernel before 7.0.
    init(hasDeferredUpdate: Bool?, hasDeferredMode: Bool?) {
        switch (hasDeferredUpdate, hasDeferredMode) {
        case (true, _):
            self.init(state: .present, basis: .btf, evidence: "nested_vmx has update_vmcs01_hwapic_isr")
        case (false, true):
            self.init(state: .absent, basis: .btf, evidence: "nested_vmx has no update_vmcs01_hwapic_isr")
        case (false, false):
            self.init(
                state: .present, basis: .btf, evidence: "nested_vmx defers no update of vmcs01, as from 7.0 on")
        default:
            self.init(state: .unknown, basis: .btf, evidence: "no type information of kvm_intel")
        }
    }
}
