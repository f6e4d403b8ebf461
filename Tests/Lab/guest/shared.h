/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the VMM and the L1 image agree on: where things lie in guest memory, how L1 asks the VMM for something, and the
 * account that the guest keeps of its own interrupts.
 */
#ifndef SHARED_H
#define SHARED_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* Guest physical memory. The image starts on a page below 1 MiB so that a SIPI can name it. */
#define GUEST_MEMORY		0x400000
#define GPA_PAGE_TABLES		0x1000		/* five pages, see struct tables */
#define GPA_IMAGE		0x8000		/* real-mode entry of an AP */
#define GPA_ENTRY		(GPA_IMAGE + 0x100)	/* long-mode entry, vCPU number in rdi */
#define GPA_SHARED		0x200000	/* struct shared */
#define APIC_BASE		0xfee00000ull

#define MAX_CPUS		2

/* The identity map of guest memory and of the APIC page; the same shape serves as page table, NPT and EPT. */
struct tables {
	u64 pml4[512];
	u64 pdpt[512];
	u64 low[512];		/* 0 to 1 GiB: guest memory in 2 MiB pages */
	u64 high[512];		/* 3 to 4 GiB */
	u64 apic[512];		/* the 2 MiB that begin with the APIC page */
};

static inline void map_identity(struct tables *t, u64 base, u64 table, u64 page, u64 large, u64 device)
{
	u64 at = base;

	t->pml4[0] = (at + 0x1000) | table;
	t->pdpt[0] = (at + 0x2000) | table;
	t->pdpt[3] = (at + 0x3000) | table;
	for (u64 i = 0; i < GUEST_MEMORY >> 21; i++)
		t->low[i] = i << 21 | page | large;
	t->high[(APIC_BASE >> 21) & 511] = (at + 0x4000) | table;
	t->apic[0] = APIC_BASE | device;
}

/* L1 (or L2) asks the VMM by writing one of these to the port. */
#define COMMAND_PORT		0xe0
enum command {
	COMMAND_DONE = 1,	/* this vCPU has finished its part */
	COMMAND_FATAL,		/* shared->fatal says why */
	COMMAND_NO_NESTING,	/* neither SVM nor VMX in CPUID */
	COMMAND_BLOCK_IRQ,	/* KVM_GUESTDBG_BLOCKIRQ on this vCPU */
	COMMAND_UNBLOCK_IRQ,
	COMMAND_PIT_REINJECT,	/* a PIT that reinjects lost ticks */
	COMMAND_PIT_QUIET,
	COMMAND_EXTINT,		/* one edge on line 1 of the PIC */
};

/* Who ran when something happened. A hooked access of L2 is the one that L1 emulates. */
enum level { L1, L2, LEVELS };
enum access { BY_L1, BY_L2_DIRECT, BY_L2_HOOKED, ACCESSES };
enum isa { ISA_NONE, ISA_SVM, ISA_VMX };

#define VECTORS			256
#define REGISTERS		64		/* APIC registers, by offset / 16 */

/* One vCPU's account. Each send is followed by one wait, so that sent + armed + raised = received - late + timeouts. */
struct account {
	u32 sent[LEVELS][VECTORS];	/* fixed IPIs, by sender */
	u32 armed[LEVELS][VECTORS];	/* one-shot timer */
	u32 raised[LEVELS][VECTORS];	/* PIC line, through the VMM */
	u32 received[LEVELS][VECTORS];	/* handler entered, at the level that ran it */
	u32 ended[LEVELS][VECTORS];	/* EOI written by that level */
	u32 late[VECTORS];		/* received when nobody waited any more */
	u32 timeouts[VECTORS];		/* waits given up, by sender */
	u32 reads[ACCESSES][REGISTERS];
	u32 writes[ACCESSES][REGISTERS];
	u32 emulated_reads[REGISTERS];	/* what L1's hook did on behalf of L2 */
	u32 emulated_writes[REGISTERS];
	u32 inits, sipis;		/* sent */
	u32 vmruns;
	u32 exits_fault, exits_hypercall, exits_cpuid, exits_other;	/* of L2, seen by L1 */
	u32 online;
};

struct shared {
	/* Set by the VMM. */
	u32 scenario;
	u32 vcpus;
	u64 tsc_khz;
	/* Set by L1. */
	u32 isa;
	u32 fatal;			/* exception vector, or an exit reason of L2 */
	u64 fatal_rip;
	u64 fatal_info;
	struct account account[MAX_CPUS];
};

#endif
