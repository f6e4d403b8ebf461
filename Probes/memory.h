/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The APIC page: faults on it, its SPTEs, and accesses that KVM emulates. */
#ifndef APICTRACE_MEMORY_H
#define APICTRACE_MEMORY_H

#include "vcpu.h"

#define APIC_PAGE 0xfee00ULL

static __always_inline bool is_apic_page(uint64_t address)
{
	return address >> 12 == APIC_PAGE;
}

static __always_inline int send_page_fault(struct vcpu_seen *seen, uint64_t address, uint64_t error_code)
{
	struct probe_record *record = reserve(KIND_PAGE_FAULT);

	if (!record)
		return 0;
	record->page_fault.address = address;
	record->page_fault.error_code = error_code;
	record->header.has = seen ? HAS_VCPU : 0;
	record->page_fault.vcpu = seen ? seen->id : 0;
	return submit(record);
}

/* Up to 5.19. */
SEC("tp_btf/kvm_page_fault")
int BPF_PROG(kvm_page_fault__2, unsigned long address, unsigned int error_code)
{
	return hit(KIND_PAGE_FAULT) && is_apic_page(address) ? send_page_fault(NULL, address, error_code) : 0;
}

SEC("tp_btf/kvm_page_fault")
int BPF_PROG(kvm_page_fault__3, struct kvm_vcpu *vcpu, uint64_t address, uint64_t error_code)
{
	struct vcpu_seen *seen;

	if (!hit(KIND_PAGE_FAULT) || !is_apic_page(address) || !vcpu)
		return 0;
	seen = meet_vcpu(vcpu);
	return seen && is_watched_vcpu(seen->id) ? send_page_fault(seen, address, error_code) : 0;
}

static __always_inline int send_spte(enum probe_kind kind, uint64_t address, uint64_t gfn)
{
	struct probe_record *record;

	if (!hit(kind) || gfn != APIC_PAGE || !(record = reserve(kind)))
		return 0;
	record->mmio_spte.address = address;
	record->mmio_spte.gfn = gfn;
	return submit(record);
}

SEC("tp_btf/mark_mmio_spte")
int BPF_PROG(mark_mmio_spte, uint64_t *sptep, uint64_t gfn)
{
	return send_spte(KIND_MARK_MMIO_SPTE, 0, gfn);
}

SEC("tp_btf/handle_mmio_page_fault")
int BPF_PROG(handle_mmio_page_fault, uint64_t address, uint64_t gfn)
{
	return send_spte(KIND_HANDLE_MMIO_PAGE_FAULT, address, gfn);
}

SEC("tp_btf/kvm_mmu_set_spte")
int BPF_PROG(kvm_mmu_set_spte, int level, uint64_t gfn)
{
	return send_spte(KIND_MMU_SET_SPTE, 0, gfn);
}

SEC("tp_btf/kvm_mmio")
int BPF_PROG(kvm_mmio, int type, int length, uint64_t gpa, void *value)
{
	struct probe_record *record;

	if (!hit(KIND_MMIO) || !is_apic_page(gpa) || !(record = reserve(KIND_MMIO)))
		return 0;
	record->mmio.gpa = gpa;
	record->mmio.type = type;
	record->mmio.length = length;
	record->mmio.value = 0;
	if (value)
		bpf_probe_read_kernel(&record->mmio.value, length == 8 ? 8 : 4, value);
	return submit(record);
}

#endif
