/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Local APIC accesses and the interrupts that they send, accept, inject and end. */
#ifndef APICTRACE_APIC_H
#define APICTRACE_APIC_H

#include "vcpu.h"

#define APIC_SPIV 0xf0
/* IA32_APIC_BASE, and the range of x2APIC registers. */
#define MSR_APIC_BASE 0x1b
#define MSR_X2APIC_FIRST 0x800
#define MSR_X2APIC_LAST 0x8ff

/*
 * The exit, kvm_mmio or kvm_msr tells of the same access, and says more: all others are only counted. But of an APIC_WRITE
 * exit nothing else has the value, and SPIV enables the APIC.
 */
SEC("tp_btf/kvm_apic")
int BPF_PROG(kvm_apic, unsigned int write, uint32_t offset, uint64_t value)
{
	struct probe_record *record;

	count(KIND_APIC);
	if (!write || offset != APIC_SPIV || !is_watched_thread() || !(record = reserve(KIND_APIC)))
		return 0;
	record->access.write = write;
	record->access.index = offset;
	record->access.value = value;
	record->access.exception = 0;
	return submit(record);
}

SEC("tp_btf/kvm_msr")
int BPF_PROG(kvm_msr, unsigned int write, uint32_t index, uint64_t value, bool exception)
{
	bool matters = index == MSR_APIC_BASE || (index >= MSR_X2APIC_FIRST && index <= MSR_X2APIC_LAST);
	struct probe_record *record;

	if (!hit(KIND_MSR) || !matters || !(record = reserve(KIND_MSR)))
		return 0;
	record->access.write = write;
	record->access.index = index;
	record->access.value = value;
	record->access.exception = exception;
	return submit(record);
}

/* Only CR8 matters: it holds the task priority. */
SEC("tp_btf/kvm_cr")
int BPF_PROG(kvm_cr, unsigned int write, unsigned int index, unsigned long value)
{
	struct probe_record *record;

	if (!hit(KIND_CR) || index != 8 || !(record = reserve(KIND_CR)))
		return 0;
	record->access.write = write;
	record->access.index = index;
	record->access.value = value;
	record->access.exception = 0;
	return submit(record);
}

SEC("tp_btf/kvm_apic_ipi")
int BPF_PROG(kvm_apic_ipi, uint32_t icr_low, uint32_t destination)
{
	struct probe_record *record;

	if (!hit(KIND_APIC_IPI) || !(record = reserve(KIND_APIC_IPI)))
		return 0;
	record->ipi.icr_low = icr_low;
	record->ipi.destination = destination;
	return submit(record);
}

/* Comes from interrupts and vhost threads too, which belong to no VM: only the target's id can be filtered. */
static __always_inline int send_accept(enum probe_kind kind, uint32_t vcpu, uint16_t delivery_mode,
				       uint8_t vector)
{
	struct probe_record *record;

	count(kind);
	if (!is_watched_vcpu(vcpu) || !(record = reserve(kind)))
		return 0;
	record->accept.vcpu = vcpu;
	record->accept.delivery_mode = delivery_mode;
	record->accept.vector = vector;
	return submit(record);
}

SEC("tp_btf/kvm_apic_accept_irq")
int BPF_PROG(kvm_apic_accept_irq, uint32_t vcpu, uint16_t delivery_mode, uint16_t trigger_mode, uint8_t vector)
{
	return send_accept(KIND_APIC_ACCEPT_IRQ, vcpu, delivery_mode, vector);
}

SEC("tp_btf/kvm_apicv_accept_irq")
int BPF_PROG(kvm_apicv_accept_irq, uint32_t vcpu, uint16_t delivery_mode, uint16_t trigger_mode, uint8_t vector)
{
	return send_accept(KIND_APICV_ACCEPT_IRQ, vcpu, delivery_mode, vector);
}

static __always_inline int send_inject(uint32_t vector, uint16_t has, bool soft, bool reinjected)
{
	struct probe_record *record;

	if (!hit(KIND_INJ_VIRQ) || !(record = reserve(KIND_INJ_VIRQ)))
		return 0;
	record->header.has = has;
	record->inject.vector = vector;
	record->inject.soft = soft;
	record->inject.reinjected = reinjected;
	return submit(record);
}

/* Up to 5.19. */
SEC("tp_btf/kvm_inj_virq")
int BPF_PROG(kvm_inj_virq__1, unsigned int vector)
{
	return send_inject(vector, 0, false, false);
}

SEC("tp_btf/kvm_inj_virq")
int BPF_PROG(kvm_inj_virq__3, unsigned int vector, bool soft, bool reinjected)
{
	return send_inject(vector, HAS_REINJECTED, soft, reinjected);
}

/* Whose local APIC a CPU's latest EOI was for: the next one is mostly for it too, and needs no look-up then. */
struct lapic_owner {
	uint64_t apic;
	/* pid_tgid. */
	uint64_t thread;
	uint32_t vcpu;
	/* ended_threads and the telling's number when it was found: both only grow, and so does their sum. */
	uint32_t since;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct lapic_owner);
} lapic_owners SEC(".maps");

/* Another thread may come between on some kernels: no thread's entry is written but by itself, and vcpu is read first. */
static __always_inline bool find_vcpu_id(struct kvm_lapic *apic, uint32_t *id)
{
	uint32_t zero = 0;
	volatile struct lapic_owner *owner = bpf_map_lookup_elem(&lapic_owners, &zero);
	uint64_t thread = bpf_get_current_pid_tgid();
	uint32_t since = *(volatile uint32_t *)&ended_threads + current_generation();
	struct vcpu_seen *seen;

	if (!owner)
		return false;
	*id = owner->vcpu;
	if (owner->apic == (uint64_t)apic && owner->thread == thread && owner->since == since)
		return true;
	seen = meet_vcpu(BPF_CORE_READ(apic, vcpu));
	if (!seen)
		return false;
	*id = seen->id;
	owner->thread = 0;
	owner->vcpu = *id;
	owner->since = since;
	owner->apic = (uint64_t)apic;
	owner->thread = thread;
	return true;
}

static __always_inline int send_eoi(enum probe_kind kind, struct kvm_lapic *apic, int vector)
{
	struct probe_record *record;
	uint32_t vcpu;

	if (!hit(kind) || !apic || !find_vcpu_id(apic, &vcpu) || !is_watched_vcpu(vcpu) || !(record = reserve(kind)))
		return 0;
	record->eoi.vcpu = vcpu;
	record->eoi.vector = vector;
	return submit(record);
}

SEC("tp_btf/kvm_eoi")
int BPF_PROG(kvm_eoi, struct kvm_lapic *apic, int vector)
{
	return send_eoi(KIND_EOI, apic, vector);
}

SEC("tp_btf/kvm_pv_eoi")
int BPF_PROG(kvm_pv_eoi, struct kvm_lapic *apic, int vector)
{
	return send_eoi(KIND_PV_EOI, apic, vector);
}

#endif
