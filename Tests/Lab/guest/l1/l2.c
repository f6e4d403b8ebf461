// SPDX-License-Identifier: Apache-2.0
/*
 * Running a C function as L2: same image, same page table, same interrupt handlers, a stack of its own. L1 does not
 * intercept external interrupts, so they reach whoever runs.
 */
#include "cpu.h"
#include "l1.h"

#define CPUID_LENGTH	2
#define ICR_OFFSET	0x300
#define ICR_MODE	0x700
#define ICR_MODE_INIT	0x500

extern char l2_stacks[];
static const struct virtualization *virtualization;

void nested_init(struct cpu *c)
{
	if (svm.available()) {
		shared->isa = ISA_SVM;
		virtualization = &svm;
	} else if (vmx.available()) {
		shared->isa = ISA_VMX;
		virtualization = &vmx;
	} else {
		for (;;)
			command(COMMAND_NO_NESTING);
	}
	virtualization->init(c);
}

/* Where L2 begins. Its function's return ends the visit. */
static noreturn void l2_entry(struct cpu *c)
{
	u32 a, b, unused_c, d;

	sti();
	cpuid(0, &a, &b, &unused_c, &d);
	c->l2_function(c);
	for (;;) {
		if (shared->isa == ISA_SVM)
			asm volatile("vmmcall");
		else
			asm volatile("vmcall");
	}
}

void hook_apic_page(struct cpu *c)
{
	c->hooked = true;
	virtualization->set_apic_page(c, false);
}

static void unhook_apic_page(struct cpu *c)
{
	c->hooked = false;
	virtualization->set_apic_page(c, true);
}

/* Does for L2 the access that faulted. L2 has two kinds, both two bytes long: see apic_read() and apic_write(). */
static void emulate_apic_access(struct cpu *c, u64 gpa)
{
	u64 rip = virtualization->rip(c);
	const u8 *code = (const u8 *)rip;
	u32 reg = gpa - APIC_BASE;

	if (gpa < APIC_BASE || reg >= 0x1000 || reg % 16)
		fatal(L2_FAULT, rip, gpa);
	if (code[0] == 0x89 && code[1] == 0x01) {
		u32 value = c->l2.rax;

		c->account->emulated_writes[reg / 16]++;
		apic_write(reg, value);
		if (c->unhook_on_init && reg == ICR_OFFSET && (value & ICR_MODE) == ICR_MODE_INIT)
			unhook_apic_page(c);
	} else if (code[0] == 0x8b && code[1] == 0x01) {
		c->account->emulated_reads[reg / 16]++;
		c->l2.rax = apic_read(reg);
	} else {
		fatal(L2_FAULT, rip, gpa);
	}
	virtualization->set_rip(c, rip + 2);
}

void in_l2(struct cpu *c, l2_function function)
{
	u64 info = 0;

	c->l2_function = function;
	c->l2.rdi = (u64)c;
	/* As after a call: the stack is 8 bytes off 16. */
	virtualization->reset(c, (u64)l2_entry, (u64)l2_stacks + (c->id + 1) * STACK_SIZE - 8);
	for (;;) {
		enum l2_exit why = virtualization->enter(c, &info);

		c->account->vmruns++;
		switch (why) {
		case L2_HYPERCALL:
			c->account->exits_hypercall++;
			return;
		case L2_CPUID:
			c->account->exits_cpuid++;
			c->l2.rax = c->l2.rbx = c->l2.rcx = c->l2.rdx = 0;
			virtualization->set_rip(c, virtualization->rip(c) + CPUID_LENGTH);
			break;
		case L2_FAULT:
			c->account->exits_fault++;
			emulate_apic_access(c, info);
			break;
		case L2_OTHER:
			c->account->exits_other++;
			fatal(L2_OTHER, virtualization->rip(c), info);
		}
	}
}
