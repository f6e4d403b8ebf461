/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Words of the virtual-APIC page where they may show that an interrupt is blocked. User space judges; here only
 * what can't be a fault is kept back. After words were sent, the next ones of that occasion are too: their
 * being sound again ends the suspicion.
 */
#ifndef APICTRACE_LAPIC_H
#define APICTRACE_LAPIC_H

#include "rflags.h"

/* Offsets in the page, from its TPR on; registers lie 16 bytes apart (Intel SDM volume 3, table "Local APIC register map"). */
#define LAPIC_FIRST 0x80
#define LAPIC_TPR 0
#define LAPIC_PPR (0x20 / 4)
#define LAPIC_SPIV (0x70 / 4)
#define LAPIC_ISR (0x80 / 4)
#define LAPIC_IRR (0x180 / 4)
#define LAPIC_WORDS (0x200 / 4)
#define LAPIC_STRIDE 4
#define SPIV_ENABLED (1 << 8)

/* Of a vCPU that has run no L2. */
#define EXITS_PER_LOOK 16

/* KVM_REQ_EVENT, KVM_GUESTDBG_BLOCKIRQ, CPU_BASED_INTR_WINDOW_EXITING. */
#define REQ_EVENT (1 << 14)
#define GUESTDBG_BLOCKIRQ 0x00100000
#define EXEC_INTR_WINDOW (1 << 2)

struct lapic_copy {
	uint32_t words[LAPIC_WORDS];
};

/* Too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct lapic_copy);
} lapic_copies SEC(".maps");

static __always_inline bool read_lapic(struct kvm_vcpu *vcpu, struct lapic_copy *copy)
{
	void *regs = BPF_CORE_READ(vcpu, arch.apic, regs);

	return regs && !bpf_probe_read_kernel(copy->words, sizeof(copy->words), regs + LAPIC_FIRST);
}

static __always_inline struct lapic_copy *copy_lapic(struct kvm_vcpu *vcpu)
{
	uint32_t zero = 0;
	struct lapic_copy *copy = bpf_map_lookup_elem(&lapic_copies, &zero);

	return copy && read_lapic(vcpu, copy) ? copy : NULL;
}

/* Priority class of the highest vector that is set, 0 for none. */
static __always_inline uint32_t highest_class(const uint32_t *words)
{
	uint32_t result = 0;

#pragma unroll
	for (int i = 0; i < 8; i++) {
		uint32_t word = words[i * LAPIC_STRIDE];

		if (word)
			result = i * 2 + (word >> 16 ? 1 : 0);
	}
	return result << 4;
}

static __always_inline uint32_t computed_ppr(const struct lapic_copy *copy)
{
	uint32_t tpr = copy->words[LAPIC_TPR] & 0xff;
	uint32_t in_service = highest_class(&copy->words[LAPIC_ISR]);

	return (tpr & 0xf0) >= in_service ? tpr : in_service;
}

static __always_inline struct probe_lapic_words *reserve_words(const struct lapic_copy *copy, uint32_t vcpu,
							       enum lapic_occasion occasion)
{
	struct probe_lapic_words *record = reserve_bytes(KIND_LAPIC_WORDS, sizeof(*record));

	if (!record)
		return NULL;
#pragma unroll
	for (int i = 0; i < 8; i++) {
		record->irr[i] = copy->words[LAPIC_IRR + i * LAPIC_STRIDE];
		record->isr[i] = copy->words[LAPIC_ISR + i * LAPIC_STRIDE];
	}
	record->tpr = copy->words[LAPIC_TPR];
	record->ppr = copy->words[LAPIC_PPR];
	record->vcpu = vcpu;
	record->occasion = occasion;
	record->blocks = 0;
	record->interrupt_flag = ANSWER_UNKNOWN;
	record->apic_enabled = copy->words[LAPIC_SPIV] & SPIV_ENABLED ? ANSWER_YES : ANSWER_NO;
	return record;
}

static __always_inline struct probe_lapic_words *reserve_suspicious(const struct lapic_copy *copy,
								    struct vcpu_seen *seen,
								    enum lapic_occasion occasion,
								    bool is_suspicious)
{
	bool wanted = is_suspicious || seen->sent_words[occasion];

	seen->sent_words[occasion] = is_suspicious;
	return wanted ? reserve_words(copy, seen->id, occasion) : NULL;
}

/* As KVM holds them, whoever ran. */
static __always_inline void look_at_exit(struct kvm_vcpu *vcpu, const struct vcpu_seen *seen)
{
	struct lapic_copy *copy = seen->flags & VCPU_LAPIC ? copy_lapic(vcpu) : NULL;
	struct probe_lapic_words *record = copy ? reserve_words(copy, seen->id, LAPIC_EXIT) : NULL;

	if (record)
		submit(record);
}

/*
 * After a run of L1 with virtual-interrupt delivery the CPU has stored the VPPR that it computed from its SVI. An SVI that
 * is stale stays so: where no L2 makes it stale meanwhile a look at some of the exits finds it, and costs plain VMs little.
 */
static __always_inline void look_at_l1_exit(struct kvm_vcpu *vcpu, struct vcpu_seen *seen)
{
	const uint32_t wanted = VCPU_LAPIC | VCPU_APICV_ACTIVE | VCPU_VMX | VCPU_VID;
	struct probe_lapic_words *record;
	struct lapic_copy *copy;

	if ((seen->flags & (wanted | VCPU_GUEST_MODE)) != wanted)
		return;
	if (!seen->nests && !seen->sent_words[LAPIC_L1_EXIT] && ++seen->unseen_exits % EXITS_PER_LOOK)
		return;
	copy = copy_lapic(vcpu);
	if (!copy)
		return;
	record = reserve_suspicious(copy, seen, LAPIC_L1_EXIT, (copy->words[LAPIC_PPR] & 0xff) != computed_ppr(copy));
	if (record)
		submit(record);
}

static __always_inline bool is_nested_run_pending(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_arch___run_bool *as_bool = (void *)&vcpu->arch;
	struct kvm_vcpu_arch___run_enum *as_enum = (void *)&vcpu->arch;
	struct vcpu_vmx *vmx = (void *)vcpu;

	if (bpf_core_field_exists(vmx->nested.nested_run_pending))
		return BPF_CORE_READ(vmx, nested.nested_run_pending);
	if (bpf_core_field_exists(as_bool->nested_run_pending))
		return BPF_CORE_READ(as_bool, nested_run_pending);
	return bpf_core_field_exists(as_enum->nested_run_pending) && BPF_CORE_READ(as_enum, nested_run_pending);
}

static __always_inline uint16_t entry_blocks(struct kvm_vcpu *vcpu, bool immediate_exit)
{
	struct vcpu_vmx *vmx = (void *)vcpu;
	uint16_t blocks = immediate_exit ? LAPIC_IMMEDIATE_EXIT : 0;

	if (BPF_CORE_READ(vcpu, requests) & REQ_EVENT)
		blocks |= LAPIC_REQ_EVENT;
	if (BPF_CORE_READ(vcpu, guest_debug) & GUESTDBG_BLOCKIRQ)
		blocks |= LAPIC_BLOCKIRQ;
	if (is_nested_run_pending(vcpu))
		blocks |= LAPIC_NESTED_RUN_PENDING;
	if (BPF_CORE_READ(vmx, nested.vmcs02.controls_shadow.exec) & EXEC_INTR_WINDOW)
		blocks |= LAPIC_INTR_WINDOW;
	if (bpf_core_field_exists(vmx->req_immediate_exit) && BPF_CORE_READ(vmx, req_immediate_exit))
		blocks |= LAPIC_IMMEDIATE_EXIT;
	return blocks;
}

/* L2 runs on L1's interrupts: one above the PPR would have been injected now, or a window asked for. */
static __always_inline void look_at_l2_entry(struct kvm_vcpu *vcpu, struct vcpu_seen *seen, bool immediate_exit)
{
	const uint32_t wanted = VCPU_GUEST_MODE | VCPU_LAPIC | VCPU_VMX;
	struct vcpu_vmx *vmx = (void *)vcpu;
	enum probe_answer flag = ANSWER_UNKNOWN;
	struct probe_lapic_words *record;
	struct lapic_copy *copy;
	bool is_deliverable;
	uint16_t blocks = 0;

	if ((seen->flags & (wanted | VCPU_L1_EXT_INT_EXITING | VCPU_L1_VID)) != wanted ||
	    !bpf_core_field_exists(vmx->nested.vmcs02.controls_shadow.exec))
		return;
	copy = copy_lapic(vcpu);
	if (!copy)
		return;
	is_deliverable = highest_class(&copy->words[LAPIC_IRR]) > (computed_ppr(copy) & 0xf0);
	if (is_deliverable) {
		blocks = entry_blocks(vcpu, immediate_exit);
		flag = interrupt_flag(vcpu, true);
	}
	record = reserve_suspicious(copy, seen, LAPIC_L2_ENTRY, is_deliverable);
	if (!record)
		return;
	record->blocks = blocks;
	record->interrupt_flag = flag;
	submit(record);
}

#endif
