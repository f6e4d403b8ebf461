/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* APICv going on and off, and what AVIC hands back to KVM. */
#ifndef APICTRACE_APICV_H
#define APICTRACE_APICV_H

#include "record.h"

/* KVM_CREATE_VM sets one of these, and no other (kvm_apicv_init, arch/x86/kvm/x86.c). */
static __always_inline bool is_of_new_vm(int reason, bool set, unsigned long inhibits)
{
	if (!set || inhibits != 1UL << (reason & 63))
		return false;
	return reason == APICV_INHIBIT_REASON_DISABLED ||
	       (bpf_core_enum_value_exists(enum kvm_apicv_inhibit, APICV_INHIBIT_REASON_ABSENT) &&
		reason == (int)bpf_core_enum_value(enum kvm_apicv_inhibit, APICV_INHIBIT_REASON_ABSENT));
}

/* The current thread makes a VM: the vCPU that it ran before may be gone, and one of the new VM have its address. */
static __always_inline void leave_vcpu(void)
{
	uint32_t tid = bpf_get_current_pid_tgid();
	struct vcpu_seen *seen = bpf_map_lookup_elem(&vcpus, &tid);

	if (seen)
		seen->vcpu = 0;
	__atomic_fetch_add(&ended_threads, 1, __ATOMIC_RELAXED);
}

/* 5.18 and later. */
SEC("tp_btf/kvm_apicv_inhibit_changed")
int BPF_PROG(kvm_apicv_inhibit_changed, int reason, bool set, unsigned long inhibits)
{
	struct probe_record *record;

	if (is_of_new_vm(reason, set, inhibits))
		leave_vcpu();
	if (!hit(KIND_APICV_INHIBIT_CHANGED) || !(record = reserve(KIND_APICV_INHIBIT_CHANGED)))
		return 0;
	record->inhibit.reason = reason;
	record->inhibit.set = set;
	record->inhibit.inhibits = inhibits;
	return submit(record);
}

/* 5.10 to 5.15. */
SEC("tp_btf/kvm_apicv_update_request")
int BPF_PROG(kvm_apicv_update_request, bool activate, unsigned long bit)
{
	struct probe_record *record;

	if (!hit(KIND_APICV_UPDATE_REQUEST) || !(record = reserve(KIND_APICV_UPDATE_REQUEST)))
		return 0;
	record->inhibit.set = activate;
	record->inhibit.inhibits = bit;
	return submit(record);
}

SEC("tp_btf/kvm_avic_incomplete_ipi")
int BPF_PROG(kvm_avic_incomplete_ipi, uint32_t vcpu, uint32_t icr_high, uint32_t icr_low, uint32_t id)
{
	struct probe_record *record;

	if (!hit(KIND_AVIC_INCOMPLETE_IPI) || !is_watched_vcpu(vcpu) ||
	    !(record = reserve(KIND_AVIC_INCOMPLETE_IPI)))
		return 0;
	record->incomplete_ipi.vcpu = vcpu;
	record->incomplete_ipi.icr_high = icr_high;
	record->incomplete_ipi.icr_low = icr_low;
	record->incomplete_ipi.id = id;
	return submit(record);
}

SEC("tp_btf/kvm_avic_unaccelerated_access")
int BPF_PROG(kvm_avic_unaccelerated_access, uint32_t vcpu, uint32_t offset, bool trap, bool write)
{
	struct probe_record *record;

	if (!hit(KIND_AVIC_UNACCELERATED_ACCESS) || !is_watched_vcpu(vcpu) ||
	    !(record = reserve(KIND_AVIC_UNACCELERATED_ACCESS)))
		return 0;
	record->unaccelerated.vcpu = vcpu;
	record->unaccelerated.offset = offset;
	record->unaccelerated.write = write;
	return submit(record);
}

/* The next two may come from an interrupt or another VM's thread, as kvm_apic_accept_irq. */
SEC("tp_btf/kvm_avic_doorbell")
int BPF_PROG(kvm_avic_doorbell, uint32_t vcpu)
{
	struct probe_record *record;

	count(KIND_AVIC_DOORBELL);
	if (!is_watched_vcpu(vcpu) || !(record = reserve(KIND_AVIC_DOORBELL)))
		return 0;
	record->avic.vcpu = vcpu;
	return submit(record);
}

SEC("tp_btf/kvm_avic_ga_log")
int BPF_PROG(kvm_avic_ga_log, uint32_t vm, uint32_t vcpu)
{
	struct probe_record *record;

	count(KIND_AVIC_GA_LOG);
	if (!is_watched_vcpu(vcpu) || !(record = reserve(KIND_AVIC_GA_LOG)))
		return 0;
	record->avic.vcpu = vcpu;
	record->avic.vm = vm;
	return submit(record);
}

SEC("tp_btf/kvm_avic_kick_vcpu_slowpath")
int BPF_PROG(kvm_avic_kick_vcpu_slowpath, uint32_t icr_high, uint32_t icr_low, uint32_t index)
{
	struct probe_record *record;

	if (!hit(KIND_AVIC_KICK_VCPU_SLOWPATH) || !(record = reserve(KIND_AVIC_KICK_VCPU_SLOWPATH)))
		return 0;
	record->kick.icr_high = icr_high;
	record->kick.icr_low = icr_low;
	record->kick.index = index;
	return submit(record);
}

static __always_inline int send_irte(int vcpu, uint32_t vector, bool set)
{
	struct probe_record *record;

	if (!hit(KIND_PI_IRTE_UPDATE) || !(record = reserve(KIND_PI_IRTE_UPDATE)))
		return 0;
	record->posted.vcpu = vcpu;
	record->posted.vector = vector;
	record->posted.set = set;
	return submit(record);
}

/* Up to 6.14. */
SEC("tp_btf/kvm_pi_irte_update")
int BPF_PROG(kvm_pi_irte_update__6, unsigned int host_irq, unsigned int vcpu, unsigned int gsi, unsigned int vector,
	     uint64_t descriptor, bool set)
{
	return send_irte(vcpu, vector, set);
}

SEC("tp_btf/kvm_pi_irte_update")
int BPF_PROG(kvm_pi_irte_update__5, unsigned int host_irq, struct kvm_vcpu *vcpu, unsigned int gsi,
	     unsigned int vector, bool set)
{
	return send_irte(vcpu ? BPF_CORE_READ(vcpu, vcpu_id) : -1, vector, set);
}

#endif
