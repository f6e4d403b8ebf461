/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps and the way every probe goes: count the hit, filter, reserve, submit. */
#ifndef APICTRACE_RECORD_H
#define APICTRACE_RECORD_H

#include "kernel.h"
#include "event.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile struct probe_config config SEC(".rodata.config");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

/* A row a CPU in an array that user space maps: reading it needs no system call that would hold off probes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct probe_counts);
} counts SEC(".maps");

/*
 * Which telling this is. User space begins another one where it begins a recording, which has nothing of what was told before.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint32_t);
} generation SEC(".maps");

/* What was last told of the vCPU that runs on a thread. */
struct vcpu_seen {
	/* struct kvm_vcpu *: another one means that the thread id was used again. */
	uint64_t vcpu;
	uint64_t inhibits;
	/* When it left the guest by HLT; 0 once it has gone on, or KVM_RUN has ended. */
	uint64_t halted;
	uint32_t id;
	/* enum vcpu_flags. */
	uint32_t flags;
	/* Its row of exit_counts, from 1 on. */
	uint32_t row;
	/* The telling that it was told in. */
	uint32_t generation;
	/* It has run L2. */
	bool nests;
	/* The ring had no room for what it is, or for that it ran for the first time. */
	bool untold, untold_first_run;
	/* Its latest exit was counted, not sent: so is the entry that ends it. */
	bool counted_exit;
	/* Its last words for this enum lapic_occasion were sent. */
	bool sent_words[2];
	/* Exits, modulo 256, that nobody looked at the words of. */
	uint8_t unseen_exits;
};

/* By thread id. An LRU map would push out threads that still run where many CPUs keep free places for themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VCPU_THREADS);
	__type(key, uint32_t);
	__type(value, struct vcpu_seen);
} vcpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EXIT_ROWS);
	__type(key, uint32_t);
	__type(value, struct probe_exit_counts);
} exit_counts SEC(".maps");

/* Whose a row of exit_counts is. */
struct row_owner {
	/* struct kvm_vcpu *. */
	uint64_t vcpu;
	/* pid_tgid. */
	uint64_t thread;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EXIT_ROWS);
	__type(key, uint32_t);
	__type(value, struct row_owner);
} exit_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EXIT_ROWS);
	__type(key, uint32_t);
	__type(value, struct probe_row_ends);
} exit_row_ends SEC(".maps");

/* By process id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VCPU_THREADS);
	__type(key, uint32_t);
	__type(value, struct probe_process);
} processes SEC(".maps");

/* By process id: what those that ended had dropped. User space takes them out. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ENDED_PROCESSES);
	__type(key, uint32_t);
	__type(value, uint64_t);
} drops_of_ended SEC(".maps");

/* Threads that ran a vCPU and have ended, or made another VM: after each of them a thread id, or a vCPU's address, may be another's. */
uint32_t ended_threads;

static __always_inline struct probe_counts *cpu_counts(void)
{
	uint32_t cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counts, &cpu);
}

static __always_inline uint32_t current_generation(void)
{
	uint32_t zero = 0;
	uint32_t *number = bpf_map_lookup_elem(&generation, &zero);

	return number ? *(volatile uint32_t *)number : 0;
}

static __always_inline void count(enum probe_kind kind)
{
	struct probe_counts *row = cpu_counts();

	/* Atomic because an interrupt's probe may come between. */
	if (row)
		__atomic_fetch_add(&row->hits[kind], 1, __ATOMIC_RELAXED);
}

static __always_inline bool is_watched_vcpu(uint32_t vcpu)
{
	return config.vcpu < 0 || vcpu == (uint32_t)config.vcpu;
}

/* For events of the current thread; one that hasn't shown its vCPU yet is let through. */
static __always_inline bool is_watched_thread(void)
{
	struct vcpu_seen *seen;
	uint64_t id;
	uint32_t tid;

	/* The usual case, in which the verifier leaves nothing of this. */
	if (!config.vm && config.vcpu < 0)
		return true;
	id = bpf_get_current_pid_tgid();
	tid = id;
	if (config.vm && id >> 32 != config.vm)
		return false;
	if (config.vcpu < 0)
		return true;
	seen = bpf_map_lookup_elem(&vcpus, &tid);
	return !seen || is_watched_vcpu(seen->id);
}

/* Counts a hit of the current thread's and tells whether it is wanted. */
static __always_inline bool hit(enum probe_kind kind)
{
	count(kind);
	return is_watched_thread();
}

/* Emitted by interrupts too, below which the current process is any. */
static __always_inline bool comes_from_interrupts(enum probe_kind kind)
{
	return kind == KIND_APIC_ACCEPT_IRQ || kind == KIND_APICV_ACCEPT_IRQ || kind == KIND_AVIC_DOORBELL ||
	       kind == KIND_AVIC_GA_LOG;
}

/*
 * preempt_count (include/linux/preempt.h, 5.10 to 7.3): a softirq is served, and all above the count of those that
 * are off, which are hard interrupts and NMIs; but for PREEMPT_NEED_RESCHED.
 */
#define SOFTIRQ_OFFSET (1 << 8)
#define IN_INTERRUPT (0x7fff0000 | SOFTIRQ_OFFSET)

/*
 * Also where it isn't known. The count is a per-CPU variable, as the run queue is, to which a task has a pointer.
 * libbpf finds either by name, but refuses the whole object where it may not look for a missing one in modules.
 */
static __always_inline bool may_be_in_interrupt(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___rt *rt = (void *)task;
	uint32_t count;
	char *place;

	if (!config.preempt_count || !bpf_core_field_exists(task->se.cfs_rq) ||
	    !bpf_core_field_exists(struct cfs_rq, rq))
		return true;
	/* PREEMPT_RT: softirqs run on the thread that raised them. */
	if (bpf_core_field_exists(rt->softirq_disable_cnt) &&
	    BPF_CORE_READ(rt, softirq_disable_cnt) & SOFTIRQ_OFFSET)
		return true;
	place = (char *)BPF_CORE_READ(task, se.cfs_rq, rq) + config.preempt_count;
	if (bpf_core_field_exists(struct pcpu_hot, preempt_count))
		place += bpf_core_field_offset(struct pcpu_hot, preempt_count);
	return bpf_probe_read_kernel(&count, sizeof(count), place) || count & IN_INTERRUPT;
}

/* A record finds the ring full: whose it would have been. */
static __noinline int drop(enum probe_kind kind)
{
	uint32_t id = bpf_get_current_pid_tgid() >> 32;
	struct probe_process *process = bpf_map_lookup_elem(&processes, &id);
	struct probe_counts *row = cpu_counts();

	if (!row)
		return 0;
	if (process && !(comes_from_interrupts(kind) && may_be_in_interrupt())) {
		/* In this order: user space reads the sum first, and finds all of it among the processes. */
		__atomic_fetch_add(&process->dropped, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&row->dropped_of_processes, 1, __ATOMIC_RELAXED);
	} else {
		__atomic_fetch_add(&row->dropped, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

/* Where it fails the caller counts the drop. */
static __always_inline void *try_reserve(enum probe_kind kind, uint64_t size)
{
	struct probe_header *header = bpf_ringbuf_reserve(&ring, size, 0);
	uint64_t id = bpf_get_current_pid_tgid();

	if (!header)
		return NULL;
	header->kind = kind;
	header->has = 0;
	header->cpu = bpf_get_smp_processor_id();
	header->tid = id;
	header->tgid = id >> 32;
	/* After the reserve: the ring's order bounds the disorder of the stamps. */
	header->time = bpf_ktime_get_ns();
	return header;
}

static __always_inline void *reserve_bytes(enum probe_kind kind, uint64_t size)
{
	void *record = try_reserve(kind, size);

	if (!record)
		drop(kind);
	return record;
}

/* Inlined: 6.1's verifier forgets in a caller that the record was checked not to be NULL. */
static __always_inline struct probe_record *reserve(enum probe_kind kind)
{
	return reserve_bytes(kind, sizeof(struct probe_record));
}

static __always_inline int submit(void *record)
{
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
