/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* L2 exits, what of them goes on to L1, and L1's entries into L2. */
#ifndef APICTRACE_NESTED_H
#define APICTRACE_NESTED_H

#include "record.h"

/* exit_code has 64 bits from 7.0 on. */
SEC("tp_btf/kvm_nested_vmexit_inject")
int BPF_PROG(kvm_nested_vmexit_inject, uint64_t exit_code, uint64_t info1, uint64_t info2, uint32_t int_info,
	     uint32_t int_info_error, uint32_t isa)
{
	struct probe_record *record;

	if (!hit(KIND_NESTED_VMEXIT_INJECT) || !(record = reserve(KIND_NESTED_VMEXIT_INJECT)))
		return 0;
	record->nested_exit_inject.exit_code = exit_code;
	record->nested_exit_inject.info1 = info1;
	record->nested_exit_inject.info2 = info2;
	record->nested_exit_inject.int_info = int_info;
	record->nested_exit_inject.isa = isa;
	return submit(record);
}

static __always_inline struct probe_record *nested_enter(uint64_t rip, uint64_t nested_rip, uint32_t int_ctl,
							 uint32_t event_inj)
{
	struct probe_record *record;

	if (!hit(KIND_NESTED_VMENTER) || !(record = reserve(KIND_NESTED_VMENTER)))
		return NULL;
	record->nested_enter.rip = rip;
	record->nested_enter.nested_rip = nested_rip;
	record->nested_enter.int_ctl = int_ctl;
	record->nested_enter.event_inj = event_inj;
	return record;
}

SEC("tp_btf/kvm_nested_vmenter")
int BPF_PROG(kvm_nested_vmenter, uint64_t rip, uint64_t vmcb, uint64_t nested_rip, uint32_t int_ctl,
	     uint32_t event_inj, bool tdp_enabled, uint64_t guest_pgd, uint64_t guest_cr3, uint32_t isa)
{
	struct probe_record *record = nested_enter(rip, nested_rip, int_ctl, event_inj);

	if (!record)
		return 0;
	record->header.has = HAS_ISA;
	record->nested_enter.isa = isa;
	return submit(record);
}

/* Up to 5.19, SVM only. */
SEC("tp_btf/kvm_nested_vmrun")
int BPF_PROG(kvm_nested_vmrun, uint64_t rip, uint64_t vmcb, uint64_t nested_rip, uint32_t int_ctl,
	     uint32_t event_inj)
{
	struct probe_record *record = nested_enter(rip, nested_rip, int_ctl, event_inj);

	return record ? submit(record) : 0;
}

SEC("tp_btf/kvm_nested_vmenter_failed")
int BPF_PROG(kvm_nested_vmenter_failed, const char *message, uint32_t error)
{
	struct probe_record *record;

	if (!hit(KIND_NESTED_VMENTER_FAILED) || !(record = reserve(KIND_NESTED_VMENTER_FAILED)))
		return 0;
	record->nested_enter_failed.error = error;
	return submit(record);
}

#endif
