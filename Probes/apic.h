/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Local APIC accesses and the interrupts that they send, accept, inject and end. */
#ifndef APICTRACE_APIC_H
#define APICTRACE_APIC_H

#include "vcpu.h"

/* IA32_APIC_BASE, and the range of x2APIC registers. */
#define MSR_APIC_BASE 0x1b
#define MSR_X2APIC_FIRST 0x800
#define MSR_X2APIC_LAST 0x8ff

static __always_inline int send_access(enum probe_kind kind, bool write, uint32_t index, uint64_t value,
				       bool exception)
{
	struct probe_record *record = reserve(kind);

	if (!record)
		return 0;
	record->access.write = write;
	record->access.index = index;
	record->access.value = value;
	record->access.exception = exception;
	return submit(record);
}

SEC("tp_btf/kvm_apic")
int BPF_PROG(kvm_apic, unsigned int write, unsigned int reg, uint64_t value)
{
	return hit(KIND_APIC) ? send_access(KIND_APIC, write, reg, value, false) : 0;
}

SEC("tp_btf/kvm_msr")
int BPF_PROG(kvm_msr, unsigned int write, uint32_t index, uint64_t value, bool exception)
{
	bool matters = index == MSR_APIC_BASE || (index >= MSR_X2APIC_FIRST && index <= MSR_X2APIC_LAST);

	return hit(KIND_MSR) && matters ? send_access(KIND_MSR, write, index, value, exception) : 0;
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

static __always_inline int send_eoi(enum probe_kind kind, struct kvm_lapic *apic, int vector)
{
	struct probe_record *record;
	struct vcpu_seen *seen;

	if (!hit(kind) || !apic)
		return 0;
	seen = meet_vcpu(BPF_CORE_READ(apic, vcpu));
	if (!seen || !is_watched_vcpu(seen->id) || !(record = reserve(kind)))
		return 0;
	record->eoi.vcpu = seen->id;
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
