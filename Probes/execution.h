/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entries and exits. KVM computes an exit's reason and information only for the tracepoint's record, which
 * tp_btf doesn't see; the record in turn lacks the kvm_vcpu. So both kinds of program sit on kvm_entry and
 * kvm_exit: tp_btf counts and reads the vCPU, tp sends the record.
 */
#ifndef APICTRACE_EXECUTION_H
#define APICTRACE_EXECUTION_H

#include "vcpu.h"

#define ISA_VMX 1
#define VMX_HLT 12
#define VMX_VMCLEAR 19
#define VMX_VMXON 27
#define VMX_APIC_ACCESS 44
#define VMX_EOI_INDUCED 45
#define VMX_APIC_WRITE 56
#define SVM_HLT 0x78
#define SVM_VMRUN 0x80

/* Up to 6.8, but for what was backported. */
SEC("tp_btf/kvm_entry")
int BPF_PROG(kvm_entry_state__1, struct kvm_vcpu *vcpu)
{
	if (hit(KIND_ENTRY) && vcpu)
		enter_guest(vcpu, false);
	return 0;
}

SEC("tp_btf/kvm_entry")
int BPF_PROG(kvm_entry_state__2, struct kvm_vcpu *vcpu, bool immediate_exit)
{
	if (hit(KIND_ENTRY) && vcpu)
		enter_guest(vcpu, immediate_exit);
	return 0;
}

/* Up to 5.15. */
SEC("tp_btf/kvm_exit")
int BPF_PROG(kvm_exit_state__3, unsigned int reason, struct kvm_vcpu *vcpu)
{
	if (hit(KIND_EXIT) && vcpu)
		leave_guest(vcpu);
	return 0;
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(kvm_exit_state__2, struct kvm_vcpu *vcpu)
{
	if (hit(KIND_EXIT) && vcpu)
		leave_guest(vcpu);
	return 0;
}

static __always_inline bool is_hlt(uint32_t isa, uint32_t reason)
{
	return reason == (isa == ISA_VMX ? VMX_HLT : SVM_HLT);
}

/* arch/x86/include/uapi/asm/vmx.h and svm.h: the APIC's exits, HLT, and what L1 of a nested guest does. */
static __always_inline bool tells_something(uint32_t isa, uint32_t reason)
{
	if (isa == ISA_VMX)
		return is_hlt(isa, reason) || (reason >= VMX_VMCLEAR && reason <= VMX_VMXON) ||
		       reason == VMX_APIC_ACCESS || reason == VMX_EOI_INDUCED || reason == VMX_APIC_WRITE;
	return is_hlt(isa, reason) || reason == SVM_VMRUN || reason > SVM_EXIT_NPF;
}

static __always_inline uint32_t exit_slot(uint32_t isa, uint32_t reason)
{
	return isa == ISA_VMX || reason < EXIT_SLOT_NPF ? reason : reason - SVM_EXIT_NPF + EXIT_SLOT_NPF;
}

/* An exit of a vCPU that has never run L2 matters to nobody but as a number, unless its reason tells something. */
static __always_inline bool count_exit(struct vcpu_seen *seen, uint32_t isa, uint32_t reason)
{
	uint32_t slot = exit_slot(isa, reason);
	struct probe_exit_counts *counts;
	uint32_t row;

	seen->counted_exit = false;
	if (seen->nests || !seen->row || slot >= EXIT_SLOTS || tells_something(isa, reason))
		return false;
	row = seen->row - 1;
	counts = bpf_map_lookup_elem(&exit_counts, &row);
	if (!counts)
		return false;
	counts->by_slot[slot]++;
	seen->counted_exit = true;
	return true;
}

/* Returns whether it was only counted. */
static __always_inline bool note_exit(uint32_t isa, uint32_t reason)
{
	uint32_t tid = bpf_get_current_pid_tgid();
	struct vcpu_seen *seen = bpf_map_lookup_elem(&vcpus, &tid);

	if (!seen)
		return false;
	if (is_hlt(isa, reason))
		seen->halted = bpf_ktime_get_ns();
	return count_exit(seen, isa, reason);
}

static __always_inline bool is_counted_entry(void)
{
	uint32_t tid = bpf_get_current_pid_tgid();
	struct vcpu_seen *seen = bpf_map_lookup_elem(&vcpus, &tid);

	return seen && !seen->nests && seen->counted_exit;
}

SEC("tp/kvm/kvm_entry")
int kvm_entry(struct trace_event_raw_kvm_entry *entry)
{
	struct probe_record *record;

	if (!is_watched_thread() || !is_watched_vcpu(entry->vcpu_id) || is_counted_entry() ||
	    !(record = reserve(KIND_ENTRY)))
		return 0;
	record->entry.vcpu = entry->vcpu_id;
	record->entry.rip = entry->rip;
	record->entry.intr_info = 0;
	if (bpf_core_field_exists(entry->intr_info)) {
		record->entry.intr_info = entry->intr_info;
		record->header.has = HAS_INTR_INFO;
	}
	return submit(record);
}

/* For two records with the same fields, which CO-RE knows by different names. */
#define send_exit(kind, source)                                                          \
	({                                                                               \
		struct probe_record *record;                                             \
                                                                                         \
		if (is_watched_thread() && is_watched_vcpu((source)->vcpu_id) &&         \
		    (record = reserve(kind))) {                                          \
			record->exit.rip = (source)->guest_rip;                          \
			record->exit.info1 = (source)->info1;                            \
			record->exit.info2 = (source)->info2;                            \
			record->exit.reason = (source)->exit_reason;                     \
			record->exit.isa = (source)->isa;                                \
			record->exit.vcpu = (source)->vcpu_id;                           \
			submit(record);                                                  \
		}                                                                        \
		0;                                                                       \
	})

SEC("tp/kvm/kvm_exit")
int kvm_exit(struct trace_event_raw_kvm_exit *exit)
{
	if (is_watched_thread() && is_watched_vcpu(exit->vcpu_id) && note_exit(exit->isa, exit->exit_reason))
		return 0;
	return send_exit(KIND_EXIT, exit);
}

SEC("tp/kvm/kvm_nested_vmexit")
int kvm_nested_vmexit(struct trace_event_raw_kvm_nested_vmexit *exit)
{
	count(KIND_NESTED_VMEXIT);
	return send_exit(KIND_NESTED_VMEXIT, exit);
}

SEC("tp_btf/kvm_smm_transition")
int BPF_PROG(kvm_smm_transition, unsigned int vcpu, uint64_t smbase, bool entering)
{
	struct probe_record *record;

	if (!hit(KIND_SMM_TRANSITION) || !is_watched_vcpu(vcpu) || !(record = reserve(KIND_SMM_TRANSITION)))
		return 0;
	record->smm.vcpu = vcpu;
	record->smm.entering = entering;
	return submit(record);
}

SEC("tp_btf/kvm_vcpu_wakeup")
int BPF_PROG(kvm_vcpu_wakeup, uint64_t nanoseconds, bool waited)
{
	struct probe_record *record;

	if (!hit(KIND_VCPU_WAKEUP) || !(record = reserve(KIND_VCPU_WAKEUP)))
		return 0;
	record->wakeup.nanoseconds = nanoseconds;
	record->wakeup.waited = waited;
	return submit(record);
}

/* From here on the vCPU may be freed. */
static __always_inline void end_halt(void)
{
	uint32_t tid = bpf_get_current_pid_tgid();
	struct vcpu_seen *seen = bpf_map_lookup_elem(&vcpus, &tid);

	if (seen)
		seen->halted = 0;
}

SEC("tp_btf/kvm_userspace_exit")
int BPF_PROG(kvm_userspace_exit, uint32_t reason)
{
	struct probe_record *record;

	if (!hit(KIND_USERSPACE_EXIT))
		return 0;
	end_halt();
	record = reserve(KIND_USERSPACE_EXIT);
	if (!record)
		return 0;
	record->userspace_exit.reason = reason;
	return submit(record);
}

#endif
