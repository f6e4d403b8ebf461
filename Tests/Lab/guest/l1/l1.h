/* SPDX-License-Identifier: Apache-2.0 */
/* The small hypervisor: what its files share. */
#ifndef L1_H
#define L1_H

#include "../shared.h"
#include "../scenarios.h"

#define STACK_SIZE	0x4000
#define noreturn	__attribute__((noreturn))

struct cpu;
typedef void (*l2_function)(struct cpu *c);

/* L2's general registers between two of its runs; the order is that of the assembly in run.S. */
struct registers {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
};

struct cpu {
	struct registers l2;
	u32 id;
	enum level level;		/* who runs now */
	bool hooked;			/* L1 hides the APIC page from L2 */
	bool unhook_on_init;		/* as BitVisor does */
	bool x2apic;
	u8 keep;			/* this vector is left in service by its handler */
	volatile u32 waiting;		/* the vector somebody waits for on this vCPU, 0 for none */
	u64 in_service[VECTORS / 64];
	struct account *account;
	l2_function l2_function;
};

/* Why L2 stopped, the same for SVM and VMX. */
enum l2_exit { L2_HYPERCALL, L2_CPUID, L2_FAULT, L2_OTHER };

static struct shared *const shared = (struct shared *)GPA_SHARED;
extern struct cpu cpus[MAX_CPUS];

/* main.c */
struct cpu *this_cpu(void);
noreturn void fatal(u32 reason, u64 rip, u64 info);
void command(enum command command);
u64 deadline_in(u32 ms);
bool wait_for(volatile u32 *word, u32 value, u32 ms);

/* apic.c */
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 value);
void apic_enable(void);
void apic_enter_x2apic(struct cpu *c);
void apic_eoi(struct cpu *c);
void apic_send_init_sipi(struct cpu *to);
void apic_send_init_to_others(void);
bool apic_ipi(struct cpu *to, u8 vector);
bool apic_timer(u8 vector);
bool apic_extint(u8 vector);
void interrupt(u64 vector, u64 error, u64 rip);

/* l2.c */
void nested_init(struct cpu *c);
void in_l2(struct cpu *c, l2_function function);
void hook_apic_page(struct cpu *c);

/* What SVM and VMX do alike. */
struct virtualization {
	/* Whether the processor has it, with nested paging. */
	bool (*available)(void);
	/* Once a vCPU. */
	void (*init)(struct cpu *c);
	/* L2 begins anew at `rip`, with interrupts off. */
	void (*reset)(struct cpu *c, u64 rip, u64 rsp);
	/* Runs L2 until it stops; `info` is the fault's L2 physical address, or the raw reason of L2_OTHER. */
	enum l2_exit (*enter)(struct cpu *c, u64 *info);
	u64 (*rip)(struct cpu *c);
	void (*set_rip)(struct cpu *c, u64 rip);
	/* Maps the APIC page into L2, or hides it. */
	void (*set_apic_page)(struct cpu *c, bool present);
};
extern const struct virtualization svm, vmx;

#endif
