/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the probes tell user space: records of the ring, counts of each CPU and the configuration.
 * Swift reads the same file through CBPF. Every record starts with struct probe_header.
 */
#ifndef APICTRACE_EVENT_H
#define APICTRACE_EVENT_H

#include <stdint.h>

/* The kinds of TraceCore's EventKind in its order, then the records that no tracepoint gives. */
enum probe_kind {
	KIND_ENTRY,
	KIND_EXIT,
	KIND_NESTED_VMEXIT,
	KIND_NESTED_VMEXIT_INJECT,
	KIND_NESTED_VMENTER,
	KIND_NESTED_VMENTER_FAILED,
	KIND_SMM_TRANSITION,
	KIND_PAGE_FAULT,
	KIND_MARK_MMIO_SPTE,
	KIND_HANDLE_MMIO_PAGE_FAULT,
	KIND_MMU_SET_SPTE,
	KIND_MMIO,
	KIND_APIC,
	KIND_MSR,
	KIND_APIC_IPI,
	KIND_APIC_ACCEPT_IRQ,
	KIND_APICV_ACCEPT_IRQ,
	KIND_INJ_VIRQ,
	KIND_EOI,
	KIND_PV_EOI,
	KIND_APICV_INHIBIT_CHANGED,
	KIND_APICV_UPDATE_REQUEST,
	KIND_VCPU_WAKEUP,
	KIND_USERSPACE_EXIT,
	KIND_AVIC_INCOMPLETE_IPI,
	KIND_AVIC_UNACCELERATED_ACCESS,
	KIND_AVIC_DOORBELL,
	KIND_AVIC_GA_LOG,
	KIND_AVIC_KICK_VCPU_SLOWPATH,
	KIND_PI_IRTE_UPDATE,
	KIND_CR,
	KINDS_TRACED,
	KIND_VCPU_STATE = KINDS_TRACED,
	KIND_LAPIC_WORDS,
	KIND_COMMAND,
	KIND_THREAD_END,
	KINDS_ALL,
};

/* Room for kinds of tracepoints in struct probe_counts. */
enum { MAX_KINDS = 64 };

_Static_assert(KINDS_TRACED <= MAX_KINDS,
	       "More kinds of events than MAX_KINDS: raise it in Probes/event.h by a multiple of 8, and give EventKindSet "
	       "(Sources/TraceCore/Events) as many bits");

struct probe_header {
	uint16_t kind;
	/* Fields that this kernel's tracepoint has: HAS_*, by kind. */
	uint16_t has;
	uint32_t cpu;
	/* CLOCK_MONOTONIC, nanoseconds. */
	uint64_t time;
	/* Of the initial pid namespace. */
	uint32_t tid;
	uint32_t tgid;
};

enum probe_has {
	HAS_VCPU = 1 << 0,
	HAS_INTR_INFO = 1 << 1,
	HAS_ISA = 1 << 2,
	HAS_REINJECTED = 1 << 3,
};

struct probe_exit {
	uint64_t rip, info1, info2;
	uint32_t reason, isa, vcpu;
};

struct probe_nested_exit_inject {
	uint64_t exit_code, info1, info2;
	uint32_t int_info, isa;
};

struct probe_nested_enter {
	uint64_t rip, nested_rip;
	uint32_t int_ctl, event_inj, isa;
};

/* One hit of a tracepoint; `kind` says which member counts. */
struct probe_record {
	struct probe_header header;
	union {
		struct { uint64_t rip; uint32_t vcpu, intr_info; } entry;
		struct probe_exit exit;
		struct probe_nested_exit_inject nested_exit_inject;
		struct probe_nested_enter nested_enter;
		struct { uint32_t error; } nested_enter_failed;
		struct { uint32_t vcpu, entering; } smm;
		struct { uint64_t address, error_code; uint32_t vcpu; } page_fault;
		struct { uint64_t address, gfn; } mmio_spte;
		struct { uint64_t gpa, value; uint32_t type, length; } mmio;
		struct { uint64_t value; uint32_t index; uint16_t write, exception; } access;
		struct { uint32_t icr_low, destination; } ipi;
		struct { uint32_t vcpu; uint16_t delivery_mode, vector; } accept;
		struct { uint32_t vector; uint16_t soft, reinjected; } inject;
		struct { uint32_t vcpu; int32_t vector; } eoi;
		struct { uint64_t inhibits; int32_t reason; uint32_t set; } inhibit;
		struct { uint64_t nanoseconds; uint32_t waited; } wakeup;
		struct { uint32_t reason; } userspace_exit;
		struct { uint32_t vcpu, icr_high, icr_low, id; } incomplete_ipi;
		struct { uint32_t vcpu, offset, write; } unaccelerated;
		struct { uint32_t vcpu, vm; } avic;
		struct { uint32_t icr_high, icr_low, index; } kick;
		struct { int32_t vcpu; uint32_t vector, set; } posted;
	};
};

enum vcpu_flags {
	VCPU_GUEST_MODE = 1 << 0,
	VCPU_APICV_ACTIVE = 1 << 1,
	/* The words of its virtual-APIC page could be found: in-kernel local APIC. */
	VCPU_LAPIC = 1 << 2,
	/* KVM's VMX structures were read, as of a vCPU that uses APICv or runs L2; the flags below mean something only then. */
	VCPU_VMX = 1 << 3,
	/* vmcs01: virtual-interrupt delivery. */
	VCPU_VID = 1 << 4,
	/* vmcs12: external-interrupt exiting, virtual-interrupt delivery. Meaningful in guest mode. */
	VCPU_L1_EXT_INT_EXITING = 1 << 5,
	VCPU_L1_VID = 1 << 6,
	/* It is about to run for the first time: what had its address before was another one. */
	VCPU_FIRST_RUN = 1 << 7,
};

/* What KVM holds of the vCPU that runs on the thread: at its first event, and when it has changed. */
struct probe_vcpu_state {
	struct probe_header header;
	/* struct kvm *: tells VMs of one process apart. */
	uint64_t vm;
	uint64_t inhibits;
	uint32_t vcpu;
	/* kvm->userspace_pid. */
	uint32_t pid;
	/* enum vcpu_flags. */
	uint32_t flags;
	/* Its row of exit counts, from 1 on; 0 for none: all of its exits are sent. */
	uint32_t row;
};

/* The name of the record's process, told at a vCPU's first event: it may be gone before user space can ask for it. */
struct probe_command {
	struct probe_header header;
	char comm[16];
};

/* A thread that ran a vCPU ends, or the last one of a process that had a VM. */
struct probe_thread_end {
	struct probe_header header;
	/* The process that has ended: its VMs run no more. 0 for the end of a thread alone. */
	uint32_t process;
	/* Its row of exit counts, from 1 on; 0 for none. */
	uint32_t row;
};

enum lapic_occasion {
	/* kvm_exit that ends a run of L1. */
	LAPIC_L1_EXIT,
	/* kvm_entry into L2. */
	LAPIC_L2_ENTRY,
	/* Any kvm_exit, where the user asked for it: nothing is meant by it. */
	LAPIC_EXIT,
	/* A vCPU that sleeps in HLT, on demand: posted interrupts are in IRR as well. */
	LAPIC_ASLEEP,
};

enum lapic_blocks {
	/* KVM_REQ_EVENT is pending: KVM looks again before the guest runs. */
	LAPIC_REQ_EVENT = 1 << 0,
	LAPIC_IMMEDIATE_EXIT = 1 << 1,
	LAPIC_NESTED_RUN_PENDING = 1 << 2,
	/* KVM_GUESTDBG_BLOCKIRQ. */
	LAPIC_BLOCKIRQ = 1 << 3,
	LAPIC_INTR_WINDOW = 1 << 4,
};

/* What may not be known. */
enum probe_answer {
	ANSWER_UNKNOWN,
	ANSWER_NO,
	ANSWER_YES,
};

/* Words of a virtual-APIC page that may show a fault; TraceCore judges them. */
struct probe_lapic_words {
	struct probe_header header;
	uint32_t irr[8], isr[8];
	uint32_t tpr, ppr;
	uint32_t vcpu;
	uint16_t occasion;
	/* enum lapic_blocks, at LAPIC_L2_ENTRY. */
	uint16_t blocks;
	/* enum probe_answer: the guest's interrupt flag, and the enable bit of SPIV. */
	uint32_t interrupt_flag, apic_enabled;
};

/* Whose words are asked for: a thread whose vCPU sleeps. */
struct probe_sleeper {
	uint32_t tid;
};

/* One CPU's counts; every hit is counted here before any filter or drop. */
struct probe_counts {
	uint64_t hits[MAX_KINDS];
	/* Records that found the ring full: those of which a process tells whose they were, and the others. */
	uint64_t dropped_of_processes;
	uint64_t dropped;
	/* A row fills cache lines: Swift imports no struct that is aligned to them. */
	uint64_t padding[6];
};

_Static_assert(sizeof(struct probe_counts) % 64 == 0, "A row of struct probe_counts has to fill cache lines: adapt its padding");

/* At once on a host: four times as many as user space keeps apart. */
enum { VCPU_THREADS = 16384 };

/* A process that has run a vCPU. */
struct probe_process {
	/* Its records that found the ring full. */
	uint64_t dropped;
	/* How many of the threads that ran a vCPU have not ended. */
	uint32_t threads;
	uint32_t padding;
};

/* Processes that ended with such drops, at once: until user space has read them. */
enum { ENDED_PROCESSES = 1024 };

enum {
	EXIT_ROWS = 1024,
	/* VMX: the basic reason. SVM: the code; those from 0x400 on follow at EXIT_SLOT_NPF. */
	EXIT_SLOTS = 192,
	EXIT_SLOT_NPF = 0xa8,
	SVM_EXIT_NPF = 0x400,
};

/*
 * Exits of one vCPU that has never run L2, on one thread: counted by reason rather than sent, but for those that tell
 * something. They only grow, whoever has the row.
 */
struct probe_exit_counts {
	uint64_t by_slot[EXIT_SLOTS];
};

/* How many owners of a row have ended, and after how many of them user space has read it: between the two it is nobody's. */
struct probe_row_ends {
	uint64_t ended, read;
};

struct probe_config {
	/* Process of the VM to watch, 0 for every one. */
	uint32_t vm;
	/* vCPU to watch, -1 for every one. */
	int32_t vcpu;
	/* vCPUs are VMX's or SVM's: struct kvm_vcpu is the start of struct vcpu_vmx or of struct vcpu_svm. */
	uint32_t is_vmx, is_svm;
	/* Exits of vCPUs that have never run L2 may be counted rather than sent. */
	uint32_t counts_exits;
	/* The local APIC's words are sent at every exit. */
	uint32_t sends_lapic;
	/* From a CPU's run queue to its preempt_count, or to the struct pcpu_hot that has it; 0 where that is not known. */
	int64_t preempt_count;
};

#endif
