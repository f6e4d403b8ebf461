/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What KVM holds of a vCPU, read by CO-RE at its first event and followed from entry to entry. */
#ifndef APICTRACE_VCPU_H
#define APICTRACE_VCPU_H

#include "lapic.h"

/* HF_GUEST_MASK of the kernels without stat.guest_mode: up to 5.14 (arch/x86/include/asm/kvm_host.h). */
#define HF_GUEST_MASK (1 << 5)

#define PIN_EXT_INT_EXITING (1 << 0)
#define SECONDARY_VID (1 << 9)

static __always_inline bool is_guest_mode(struct kvm_vcpu *vcpu)
{
	if (bpf_core_field_exists(vcpu->stat.guest_mode))
		return BPF_CORE_READ(vcpu, stat.guest_mode);
	return BPF_CORE_READ(vcpu, arch.hflags) & HF_GUEST_MASK;
}

static __always_inline bool is_apicv_active(struct kvm_vcpu *vcpu, struct kvm_lapic *apic)
{
	struct kvm_vcpu_arch___apicv *old = (void *)&vcpu->arch;

	if (bpf_core_field_exists(apic->apicv_active))
		return BPF_CORE_READ(apic, apicv_active);
	return bpf_core_field_exists(old->apicv_active) && BPF_CORE_READ(old, apicv_active);
}

static __always_inline uint32_t vmcs01_flags(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = (void *)vcpu;

	if (!bpf_core_field_exists(vmx->vmcs01.controls_shadow.secondary_exec) || !is_vcpu_vmx(vcpu))
		return 0;
	if (BPF_CORE_READ(vmx, vmcs01.controls_shadow.secondary_exec) & SECONDARY_VID)
		return VCPU_VMX | VCPU_VID;
	return VCPU_VMX;
}

static __always_inline uint32_t vmcs12_flags(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = (void *)vcpu;
	struct vmcs12 *vmcs12;
	uint32_t flags = 0;

	if (!bpf_core_field_exists(vmx->nested.cached_vmcs12) ||
	    !bpf_core_field_exists(struct vmcs12, secondary_vm_exec_control))
		return 0;
	vmcs12 = BPF_CORE_READ(vmx, nested.cached_vmcs12);
	if (BPF_CORE_READ(vmcs12, pin_based_vm_exec_control) & PIN_EXT_INT_EXITING)
		flags |= VCPU_L1_EXT_INT_EXITING;
	if (BPF_CORE_READ(vmcs12, secondary_vm_exec_control) & SECONDARY_VID)
		flags |= VCPU_L1_VID;
	return flags;
}

/* - before: what was seen of it last, NULL for nothing. */
static __always_inline void read_vcpu(struct kvm_vcpu *vcpu, const struct vcpu_seen *before, struct vcpu_seen *now)
{
	struct kvm_lapic *apic = BPF_CORE_READ(vcpu, arch.apic);

	now->vcpu = (uint64_t)vcpu;
	now->inhibits = BPF_CORE_READ(vcpu, kvm, arch.apicv_inhibit_reasons);
	now->id = BPF_CORE_READ(vcpu, vcpu_id);
	now->flags = 0;
	if (is_guest_mode(vcpu))
		now->flags |= VCPU_GUEST_MODE;
	now->nests = (before && before->nests) || now->flags;
	if (apic) {
		now->flags |= VCPU_LAPIC;
		if (is_apicv_active(vcpu, apic))
			now->flags |= VCPU_APICV_ACTIVE;
	}
	/* Without L2 vmcs01's control goes on and off with APICv. */
	if (!now->nests && before && now->flags & before->flags & VCPU_APICV_ACTIVE)
		now->flags |= before->flags & (VCPU_VMX | VCPU_VID);
	else if (now->nests || now->flags & VCPU_APICV_ACTIVE)
		now->flags |= vmcs01_flags(vcpu);
	if (now->nests && now->flags & VCPU_VMX)
		now->flags |= vmcs12_flags(vcpu);
}

static __always_inline void send_vcpu(struct kvm_vcpu *vcpu, const struct vcpu_seen *now)
{
	struct probe_vcpu_state *record = reserve_bytes(KIND_VCPU_STATE, sizeof(*record));
	struct kvm *kvm;

	if (!record)
		return;
	kvm = BPF_CORE_READ(vcpu, kvm);
	record->vm = (uint64_t)kvm;
	record->pid = BPF_CORE_READ(kvm, userspace_pid);
	record->inhibits = now->inhibits;
	record->vcpu = now->id;
	record->flags = now->flags;
	record->row = now->row;
	submit(record);
}

static __always_inline void send_command(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct probe_command *record = reserve_bytes(KIND_COMMAND, sizeof(*record));

	if (!record)
		return;
	BPF_CORE_READ_STR_INTO(&record->comm, task, group_leader, comm);
	submit(record);
}

static __always_inline struct vcpu_seen *seen_vcpu(struct kvm_vcpu *vcpu)
{
	uint32_t tid = bpf_get_current_pid_tgid();
	struct vcpu_seen *seen = bpf_map_lookup_elem(&vcpus, &tid);

	return seen && seen->vcpu == (uint64_t)vcpu ? seen : NULL;
}

/* A row by thread id; 0 where another vCPU has it. */
static __always_inline uint32_t claim_row(uint64_t vcpu, uint32_t tid)
{
	uint32_t row = tid % EXIT_ROWS;
	uint64_t *owner;

	if (!config.counts_exits)
		return 0;
	if (!bpf_map_update_elem(&exit_rows, &row, &vcpu, BPF_NOEXIST))
		return row + 1;
	owner = bpf_map_lookup_elem(&exit_rows, &row);
	return owner && *owner == vcpu ? row + 1 : 0;
}

static __noinline struct vcpu_seen *seed_vcpu(struct kvm_vcpu *vcpu)
{
	uint32_t tid = bpf_get_current_pid_tgid();
	struct vcpu_seen now = {};

	read_vcpu(vcpu, NULL, &now);
	now.row = claim_row(now.vcpu, tid);
	bpf_map_update_elem(&vcpus, &tid, &now, BPF_ANY);
	if (is_watched_vcpu(now.id)) {
		send_command();
		send_vcpu(vcpu, &now);
	}
	return bpf_map_lookup_elem(&vcpus, &tid);
}

/* For the current thread's vCPU: tells what it is at its first event. NULL only where no memory is left for it. */
static __always_inline struct vcpu_seen *meet_vcpu(struct kvm_vcpu *vcpu)
{
	struct vcpu_seen *seen = seen_vcpu(vcpu);

	return seen ? seen : seed_vcpu(vcpu);
}

/* The host changes a vCPU between an exit and the next entry, so that an entry shows every change. */
static __always_inline void enter_guest(struct kvm_vcpu *vcpu, bool immediate_exit)
{
	struct vcpu_seen *seen = seen_vcpu(vcpu);
	struct vcpu_seen now = {};

	if (!seen) {
		seen = seed_vcpu(vcpu);
	} else {
		seen->halted = 0;
		read_vcpu(vcpu, seen, &now);
		now.row = seen->row;
		if (now.inhibits != seen->inhibits || now.flags != seen->flags) {
			seen->inhibits = now.inhibits;
			seen->flags = now.flags;
			seen->nests = now.nests;
			if (is_watched_vcpu(now.id))
				send_vcpu(vcpu, &now);
		}
	}
	if (seen && is_watched_vcpu(seen->id))
		look_at_l2_entry(vcpu, seen, immediate_exit);
}

static __always_inline void leave_guest(struct kvm_vcpu *vcpu)
{
	struct vcpu_seen *seen = seen_vcpu(vcpu);

	if (!seen) {
		seed_vcpu(vcpu);
	} else if (is_watched_vcpu(seen->id)) {
		look_at_l1_exit(vcpu, seen);
		if (config.sends_lapic)
			look_at_exit(vcpu, seen);
	}
}

#endif
