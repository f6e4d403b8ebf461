/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A vCPU that sleeps in HLT emits nothing: user space asks for its words when it has slept on an interrupt for long. By then
 * KVM has read its RFLAGS, to skip the HLT, and what was posted waits in PIR, if KVM hasn't folded it in.
 */
#ifndef APICTRACE_SLEEPER_H
#define APICTRACE_SLEEPER_H

#include "vcpu.h"

/* A request at a time, and it may be preempted: not the copy that this CPU's probes use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct lapic_copy);
} sleeper_copy SEC(".maps");

/* The thread is blocked for its vCPU. One that was woken only waits for a CPU: that is no fault of KVM's. */
static __always_inline bool is_asleep(struct kvm_vcpu *vcpu, uint32_t tid)
{
	struct task_struct *task = BPF_CORE_READ(vcpu, wait.task);

	return task && BPF_CORE_READ(task, pid) == tid && BPF_CORE_READ(task, __state);
}

static __always_inline bool fold_in_posted(struct kvm_vcpu *vcpu, struct lapic_copy *copy)
{
	struct vcpu_vmx *vmx = (void *)vcpu;
	struct vcpu_vmx___vt *vt = (void *)vcpu;
	struct pi_desc posted;
	int error;

	if (!is_vcpu_vmx(vcpu))
		return true;
	if (bpf_core_field_exists(vmx->pi_desc))
		error = bpf_probe_read_kernel(&posted, sizeof(posted), &vmx->pi_desc);
	else if (bpf_core_field_exists(vt->vt.pi_desc))
		error = bpf_probe_read_kernel(&posted, sizeof(posted), &vt->vt.pi_desc);
	else
		return false;
	if (error)
		return false;
#pragma unroll
	for (int i = 0; i < 8; i++)
		copy->words[LAPIC_IRR + i * LAPIC_STRIDE] |= posted.pir[i];
	return true;
}

/* KVM_RUN holds the vCPU, and it does not end within a HLT: where that lasts after the reading, all was read from the vCPU. */
SEC("syscall")
int look_at_sleeper(struct probe_sleeper *request)
{
	uint32_t zero = 0, tid = request->tid;
	volatile struct vcpu_seen *seen = bpf_map_lookup_elem(&vcpus, &tid);
	struct lapic_copy *copy = bpf_map_lookup_elem(&sleeper_copy, &zero);
	struct probe_lapic_words *record;
	enum probe_answer flag;
	struct kvm_vcpu *vcpu;
	uint64_t halted;
	uint32_t cpu;

	if (!seen || !copy)
		return 0;
	halted = seen->halted;
	vcpu = (void *)seen->vcpu;
	if (!halted || !(seen->flags & VCPU_LAPIC) || !is_asleep(vcpu, tid) || !read_lapic(vcpu, copy) ||
	    !fold_in_posted(vcpu, copy))
		return 0;
	flag = interrupt_flag(vcpu, seen->flags & VCPU_GUEST_MODE);
	cpu = BPF_CORE_READ(vcpu, cpu);
	if (seen->halted != halted || seen->vcpu != (uint64_t)vcpu)
		return 0;
	record = reserve_words(copy, seen->id, LAPIC_ASLEEP);
	if (!record)
		return 0;
	record->interrupt_flag = flag;
	/* The vCPU's thread is meant, not the one that asks. */
	record->header.tid = tid;
	record->header.tgid = 0;
	record->header.cpu = cpu;
	return submit(record);
}

#endif
