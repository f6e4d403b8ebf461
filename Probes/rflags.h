/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guest's interrupt flag. kvm_run->if_flag is valid only at an exit to user space. On VMX KVM reads RFLAGS when it first
 * needs them after an exit, as for the instruction that it skips or before it injects; on SVM they are in the VMCB.
 */
#ifndef APICTRACE_RFLAGS_H
#define APICTRACE_RFLAGS_H

#include "record.h"

#define RFLAGS_IF (1 << 9)
/* KVM_X86_TDX_VM: a TDX vCPU is no struct vcpu_vmx. */
#define TDX_VM 5

static __always_inline bool is_vcpu_vmx(struct kvm_vcpu *vcpu)
{
	return config.is_vmx && (!bpf_core_field_exists(struct kvm_arch, vm_type) ||
				 BPF_CORE_READ(vcpu, kvm, arch.vm_type) != TDX_VM);
}

static __always_inline bool is_rflags_cached(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = (void *)vcpu;

	return bpf_core_enum_value_exists(enum kvm_reg, VCPU_EXREG_RFLAGS) &&
	       bpf_core_field_exists(vcpu->arch.regs_avail) && bpf_core_field_exists(vmx->rflags) &&
	       BPF_CORE_READ(vcpu, arch.regs_avail) >> bpf_core_enum_value(enum kvm_reg, VCPU_EXREG_RFLAGS) & 1;
}

/* On SVM it is L1's flag that counts while L2 runs, if L1 masks virtual interrupts: then it is not known here. */
static __always_inline enum probe_answer interrupt_flag(struct kvm_vcpu *vcpu, bool is_guest_mode)
{
	struct vcpu_vmx *vmx = (void *)vcpu;
	struct vcpu_svm *svm = (void *)vcpu;
	uint64_t rflags;

	if (bpf_core_field_exists(vcpu->arch.guest_state_protected) && BPF_CORE_READ(vcpu, arch.guest_state_protected))
		return ANSWER_UNKNOWN;
	if (is_vcpu_vmx(vcpu) && is_rflags_cached(vcpu))
		rflags = BPF_CORE_READ(vmx, rflags);
	else if (config.is_svm && !is_guest_mode && bpf_core_field_exists(svm->vmcb) &&
		 bpf_core_field_exists(struct vmcb, save.rflags))
		rflags = BPF_CORE_READ(svm, vmcb, save.rflags);
	else
		return ANSWER_UNKNOWN;
	return rflags & RFLAGS_IF ? ANSWER_YES : ANSWER_NO;
}

#endif
