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

/* Returns whether there was room for it. */
static __always_inline bool send_vcpu(struct kvm_vcpu *vcpu, const struct vcpu_seen *now, bool first_run)
{
	struct probe_vcpu_state *record = reserve_bytes(KIND_VCPU_STATE, sizeof(*record));
	struct kvm *kvm;

	if (!record)
		return false;
	kvm = BPF_CORE_READ(vcpu, kvm);
	record->vm = (uint64_t)kvm;
	record->pid = BPF_CORE_READ(kvm, userspace_pid);
	record->inhibits = now->inhibits;
	record->vcpu = now->id;
	record->flags = now->flags | (first_run ? VCPU_FIRST_RUN : 0);
	record->row = now->row;
	submit(record);
	return true;
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

/* A vCPU looks in so many rows for one that is free. */
#define ROW_TRIES 4
/* From one to the next: threads that begin together have ids in a row. */
#define ROW_STEP 257

/* The owner counts nothing any more. The row is nobody's until user space has read it. */
static __always_inline void end_row(uint32_t row)
{
	struct probe_row_ends *ends = bpf_map_lookup_elem(&exit_row_ends, &row);

	if (ends)
		ends->ended++;
	bpf_map_delete_elem(&exit_rows, &row);
}

/*
 * A row for the current thread and what it runs, from 1 on; 0 where others have them all, or user space hasn't read them yet.
 * What the thread ran before it ends here.
 */
static __always_inline uint32_t claim_row(uint64_t vcpu, bool first_run)
{
	struct row_owner own = { .vcpu = vcpu, .thread = bpf_get_current_pid_tgid() };
	uint32_t first = (uint32_t)own.thread, row;
	struct probe_row_ends *ends;
	struct row_owner *owner;

#pragma unroll
	for (uint32_t try = 0; try < ROW_TRIES; try++) {
		row = (first + try * ROW_STEP) % EXIT_ROWS;
		owner = bpf_map_lookup_elem(&exit_rows, &row);
		if (!owner || owner->thread != own.thread)
			continue;
		if (owner->vcpu == vcpu && !first_run)
			return row + 1;
		end_row(row);
	}
#pragma unroll
	for (uint32_t try = 0; try < ROW_TRIES; try++) {
		row = (first + try * ROW_STEP) % EXIT_ROWS;
		if (bpf_map_update_elem(&exit_rows, &row, &own, BPF_NOEXIST))
			continue;
		ends = bpf_map_lookup_elem(&exit_row_ends, &row);
		if (ends && ends->ended == *(volatile uint64_t *)&ends->read)
			return row + 1;
		bpf_map_delete_elem(&exit_rows, &row);
	}
	return 0;
}

/* The current thread runs a vCPU for the first time. */
static __always_inline void join_process(void)
{
	uint32_t id = bpf_get_current_pid_tgid() >> 32;
	struct probe_process first = { .threads = 1 }, *process;

	if (!bpf_map_update_elem(&processes, &id, &first, BPF_NOEXIST))
		return;
	process = bpf_map_lookup_elem(&processes, &id);
	if (process)
		__atomic_fetch_add(&process->threads, 1, __ATOMIC_RELAXED);
}

/* What finds no room is reported again at the vCPU's next event: until then its events may be taken for another's. */
static __always_inline void tell_vcpu(struct kvm_vcpu *vcpu, struct vcpu_seen *seen, bool first_run)
{
	seen->untold = !send_vcpu(vcpu, seen, first_run);
	seen->untold_first_run = seen->untold && first_run;
}

static __noinline struct vcpu_seen *seed_vcpu(struct kvm_vcpu *vcpu, bool first_run)
{
	uint32_t tid = bpf_get_current_pid_tgid();
	struct vcpu_seen now = {};

	read_vcpu(vcpu, NULL, &now);
	now.generation = current_generation();
	if (config.counts_exits && is_watched_vcpu(now.id))
		now.row = claim_row(now.vcpu, first_run);
	if (!bpf_map_lookup_elem(&vcpus, &tid))
		join_process();
	if (is_watched_vcpu(now.id)) {
		send_command();
		tell_vcpu(vcpu, &now, first_run);
	}
	bpf_map_update_elem(&vcpus, &tid, &now, BPF_ANY);
	return bpf_map_lookup_elem(&vcpus, &tid);
}

/*
 * No tracepoint tells the end of a VM, and a vCPU may get the address of one that was freed. One that has never left the guest
 * has never run.
 */
static __always_inline bool is_first_run(struct kvm_vcpu *vcpu)
{
	return bpf_core_field_exists(vcpu->stat.exits) && !BPF_CORE_READ(vcpu, stat.exits);
}

/* What was told in an earlier telling is told once more, as it is now. Returns whether it was. */
static __noinline bool tell_anew(struct kvm_vcpu *vcpu, struct vcpu_seen *seen)
{
	uint32_t number = current_generation();
	struct vcpu_seen now = {};

	if (!seen || seen->generation == number)
		return false;
	read_vcpu(vcpu, seen, &now);
	seen->inhibits = now.inhibits;
	seen->flags = now.flags;
	seen->nests = now.nests;
	seen->generation = number;
	if (is_watched_vcpu(seen->id)) {
		send_command();
		tell_vcpu(vcpu, seen, seen->untold_first_run);
	}
	return true;
}

/* For the current thread's vCPU: tells what it is at its first event. NULL only where no memory is left for it. */
static __always_inline struct vcpu_seen *meet_vcpu(struct kvm_vcpu *vcpu)
{
	struct vcpu_seen *seen = seen_vcpu(vcpu);

	if (!seen)
		return seed_vcpu(vcpu, false);
	if (!tell_anew(vcpu, seen) && seen->untold)
		tell_vcpu(vcpu, seen, seen->untold_first_run);
	return seen;
}

/* The host changes a vCPU between an exit and the next entry, so that an entry shows every change. */
static __always_inline void enter_guest(struct kvm_vcpu *vcpu, bool immediate_exit)
{
	struct vcpu_seen *seen = seen_vcpu(vcpu);
	bool first_run = is_first_run(vcpu);
	struct vcpu_seen now = {};

	if (!seen || first_run) {
		seen = seed_vcpu(vcpu, first_run);
	} else if (!tell_anew(vcpu, seen)) {
		read_vcpu(vcpu, seen, &now);
		now.row = seen->row;
		if (now.inhibits != seen->inhibits || now.flags != seen->flags || seen->untold) {
			seen->inhibits = now.inhibits;
			seen->flags = now.flags;
			seen->nests = now.nests;
			if (is_watched_vcpu(now.id))
				tell_vcpu(vcpu, seen, seen->untold_first_run);
		}
	}
	if (seen)
		seen->halted = 0;
	if (seen && is_watched_vcpu(seen->id))
		look_at_l2_entry(vcpu, seen, immediate_exit);
}

static __always_inline void leave_guest(struct kvm_vcpu *vcpu)
{
	struct vcpu_seen *seen = seen_vcpu(vcpu);

	if (!seen) {
		seed_vcpu(vcpu, false);
		return;
	}
	tell_anew(vcpu, seen);
	if (is_watched_vcpu(seen->id)) {
		look_at_l1_exit(vcpu, seen);
		if (config.sends_lapic)
			look_at_exit(vcpu, seen);
	}
}

/* What a process that ends had dropped stays to be read. */
static __always_inline void keep_drops(uint32_t process, uint64_t dropped)
{
	uint64_t *kept;

	if (!dropped || !bpf_map_update_elem(&drops_of_ended, &process, &dropped, BPF_NOEXIST))
		return;
	/* Of one that had the same id. */
	kept = bpf_map_lookup_elem(&drops_of_ended, &process);
	if (kept)
		__atomic_fetch_add(kept, dropped, __ATOMIC_RELAXED);
}

/* A record of a process that was taken out of the map finds the ring full. */
static __always_inline void drop_of_ended(uint32_t process)
{
	struct probe_counts *row = cpu_counts();

	keep_drops(process, 1);
	if (row)
		__atomic_fetch_add(&row->dropped_of_processes, 1, __ATOMIC_RELAXED);
}

/*
 * The process of the current thread, which ends, where it ends with it: no other thread of it can run a vCPU any more. 0 otherwise.
 * Threads that end together come here in any order: their process ends after all that ran a vCPU, and once.
 */
static __always_inline uint32_t end_of_process(struct task_struct *task, bool ran_vcpu)
{
	uint32_t id = bpf_get_current_pid_tgid() >> 32;
	struct probe_process *process = bpf_map_lookup_elem(&processes, &id);
	uint64_t dropped;

	if (!process)
		return 0;
	if (ran_vcpu)
		__atomic_fetch_add(&process->threads, -1, __ATOMIC_RELAXED);
	if (BPF_CORE_READ(task, signal, live.counter) || *(volatile uint32_t *)&process->threads)
		return 0;
	dropped = *(volatile uint64_t *)&process->dropped;
	/* Whoever takes it out keeps its drops; the place in the map is another process's at once. */
	if (bpf_map_delete_elem(&processes, &id))
		return 0;
	keep_drops(id, dropped);
	return id;
}

static __always_inline void end_vcpu_thread(const struct vcpu_seen *seen)
{
	uint32_t tid = bpf_get_current_pid_tgid(), row = seen->row;
	struct probe_thread_end *record = reserve_bytes(KIND_THREAD_END, sizeof(*record));

	if (record) {
		record->process = 0;
		record->row = row;
		submit(record);
	}
	/* Whether or not there was room to tell of it: the next thread of that id is another one. */
	if (row)
		end_row(row - 1);
	__atomic_fetch_add(&ended_threads, 1, __ATOMIC_RELAXED);
	bpf_map_delete_elem(&vcpus, &tid);
}

/* In two records: 6.1's verifier takes none that is held while others are looked for. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	uint32_t tid = bpf_get_current_pid_tgid(), process;
	struct vcpu_seen *seen = bpf_map_lookup_elem(&vcpus, &tid);
	struct probe_thread_end *record;

	if (seen)
		end_vcpu_thread(seen);
	process = end_of_process(task, seen != NULL);
	if (!process)
		return 0;
	record = try_reserve(KIND_THREAD_END, sizeof(*record));
	if (!record) {
		drop_of_ended(process);
		return 0;
	}
	record->process = process;
	record->row = 0;
	return submit(record);
}

#endif
