/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entries and exits. KVM computes an exit's reason and information only for the tracepoint's record, which
 * tp_btf doesn't see; the record in turn lacks the kvm_vcpu. So both kinds of program sit on kvm_entry and
 * kvm_exit: tp_btf counts and reads the vCPU, tp sends the record.
 */
#ifndef APICTRACE_EXECUTION_H
#define APICTRACE_EXECUTION_H

#include "vcpu.h"

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

SEC("tp/kvm/kvm_entry")
int kvm_entry(struct trace_event_raw_kvm_entry *entry)
{
	struct probe_record *record;

	if (!is_watched_thread() || !is_watched_vcpu(entry->vcpu_id) || !(record = reserve(KIND_ENTRY)))
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

SEC("tp_btf/kvm_userspace_exit")
int BPF_PROG(kvm_userspace_exit, uint32_t reason)
{
	struct probe_record *record;

	if (!hit(KIND_USERSPACE_EXIT) || !(record = reserve(KIND_USERSPACE_EXIT)))
		return 0;
	record->userspace_exit.reason = reason;
	return submit(record);
}

#endif
