// SPDX-License-Identifier: Apache-2.0

/// What KVM itself holds of a vCPU, read in the kernel by live tracing: what a file can only infer.
///
/// Told at a vCPU's first event and whenever it has changed since; the stamp names the vCPU's thread.
public struct VCPUState: Equatable, Sendable {
    /// The address of `struct kvm`, hashed: tells the VMs of one process apart, and is only to be compared.
    public var vm: UInt64
    /// `kvm->userspace_pid`, the process that created the VM.
    public var process: Int32
    public var vcpu: Int32
    /// `kvm->arch.apicv_inhibit_reasons`; 0 means that APICv may be used.
    public var inhibits: UInt64
    /// The vCPU really uses APICv now.
    public var isAPICvActive: Bool
    /// L2 runs, or is about to.
    public var isGuestMode: Bool
    /// KVM emulates the local APIC (no userspace irqchip).
    public var hasLAPIC: Bool
    /// It is about to run for the first time since it was made.
    public var isFirstRun = false
    /// Nil where KVM's VMX structures could not be read (AMD, or kvm_intel without BTF).
    public var vmx: VMXChoices?

    /// Which interrupt controls are on.
    public struct VMXChoices: Equatable, Sendable {
        /// vmcs01: virtual-interrupt delivery for L1.
        public var deliversVirtualInterrupts: Bool
        /// vmcs12: external interrupts exit to L1. Meaningful in guest mode.
        public var l1InterceptsInterrupts: Bool
        /// vmcs12: virtual-interrupt delivery for L2. Meaningful in guest mode.
        public var l1DeliversVirtualInterrupts: Bool

        public init(
            deliversVirtualInterrupts: Bool, l1InterceptsInterrupts: Bool, l1DeliversVirtualInterrupts: Bool
        ) {
            self.deliversVirtualInterrupts = deliversVirtualInterrupts
            self.l1InterceptsInterrupts = l1InterceptsInterrupts
            self.l1DeliversVirtualInterrupts = l1DeliversVirtualInterrupts
        }
    }

    public init(
        vm: UInt64, process: Int32, vcpu: Int32, inhibits: UInt64, isAPICvActive: Bool, isGuestMode: Bool,
        hasLAPIC: Bool, vmx: VMXChoices?
    ) {
        self.vm = vm
        self.process = process
        self.vcpu = vcpu
        self.inhibits = inhibits
        self.isAPICvActive = isAPICvActive
        self.isGuestMode = isGuestMode
        self.hasLAPIC = hasLAPIC
        self.vmx = vmx
    }
}
