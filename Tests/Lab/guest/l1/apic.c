// SPDX-License-Identifier: Apache-2.0
/*
 * The local APIC as L1 and L2 use it. Every access and every interrupt goes through here, so here the account is kept.
 */
#include "cpu.h"
#include "l1.h"

#define APIC_ID		0x20
#define APIC_EOI	0xb0
#define APIC_SPIV	0xf0
#define APIC_ICR	0x300
#define APIC_ICR2	0x310
#define APIC_LVTT	0x320
#define APIC_TMICT	0x380
#define APIC_TDCR	0x3e0

#define SPURIOUS_VECTOR	0xff
#define ICR_INIT	0x500
#define ICR_SIPI	0x600
#define ICR_ASSERT	0x4000
#define ICR_OTHERS	0xc0000
#define TIMER_TICKS	100000			/* 0.1 ms at KVM's 1 GHz */

#define FIRST_EXTERNAL	32
#define PIC_VECTOR	0x20			/* what apic_extint() programs; up to +15 */
#define PIC_COMMAND	0x20
#define PIC_DATA	0x21

/* How long a wait lasts. A vector that did not come once is not waited for as long again. */
#define WAIT_MS		400
#define WAIT_AGAIN_MS	20

static enum access who(struct cpu *c)
{
	if (c->level == L1)
		return BY_L1;
	return c->hooked && !c->x2apic ? BY_L2_HOOKED : BY_L2_DIRECT;
}

/* These two instructions are the ones that the hook in l2.c knows how to emulate. */
u32 apic_read(u32 reg)
{
	struct cpu *c = this_cpu();
	u32 value;

	c->account->reads[who(c)][reg / 16]++;
	if (c->x2apic)
		return rdmsr(MSR_X2APIC + reg / 16);
	asm volatile("movl (%%rcx), %%eax" : "=a"(value) : "c"(APIC_BASE + reg) : "memory");
	return value;
}

void apic_write(u32 reg, u32 value)
{
	struct cpu *c = this_cpu();

	c->account->writes[who(c)][reg / 16]++;
	if (c->x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		asm volatile("movl %%eax, (%%rcx)" : : "a"(value), "c"(APIC_BASE + reg) : "memory");
}

void apic_enable(void)
{
	apic_write(APIC_SPIV, 0x100 | SPURIOUS_VECTOR);
}

void apic_enter_x2apic(struct cpu *c)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	c->x2apic = true;
}

static void write_icr(u32 dest, u32 low)
{
	struct cpu *c = this_cpu();

	if (c->x2apic) {
		c->account->writes[who(c)][APIC_ICR / 16]++;
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (u64)dest << 32 | low);
		return;
	}
	apic_write(APIC_ICR2, dest << 24);
	apic_write(APIC_ICR, low);
}

void apic_send_init_sipi(struct cpu *to)
{
	struct account *account = this_cpu()->account;

	account->inits++;
	write_icr(to->id, ICR_INIT | ICR_ASSERT);
	account->sipis++;
	write_icr(to->id, ICR_SIPI | ICR_ASSERT | GPA_IMAGE >> 12);
}

void apic_send_init_to_others(void)
{
	this_cpu()->account->inits++;
	write_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
}

/* Waits for `vector` on vCPU `on`. Handler and waiter settle by compare-and-exchange who was first. */
static bool wait_for_vector(struct cpu *on, u8 vector)
{
	struct account *account = this_cpu()->account;

	if (wait_for(&on->waiting, 0, account->timeouts[vector] ? WAIT_AGAIN_MS : WAIT_MS))
		return true;
	if (!__sync_bool_compare_and_swap(&on->waiting, vector, 0))
		return true;
	account->timeouts[vector]++;
	return false;
}

bool apic_ipi(struct cpu *to, u8 vector)
{
	struct cpu *c = this_cpu();

	to->waiting = vector;
	c->account->sent[c->level][vector]++;
	write_icr(to->id, ICR_ASSERT | vector);
	return wait_for_vector(to, vector);
}

bool apic_timer(u8 vector)
{
	struct cpu *c = this_cpu();

	c->waiting = vector;
	c->account->armed[c->level][vector]++;
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, vector);
	apic_write(APIC_TMICT, TIMER_TICKS);
	return wait_for_vector(c, vector);
}

/* Line 1 of the PIC while interrupts are off, so that KVM has to ask for an interrupt window. */
bool apic_extint(u8 vector)
{
	struct cpu *c = this_cpu();
	bool received;

	cli();
	outb(PIC_COMMAND, 0x11);
	outb(PIC_DATA, PIC_VECTOR);
	outb(PIC_DATA, 4);
	outb(PIC_DATA, 1);
	outb(PIC_DATA, (u8)~2);			/* line 1 alone */
	c->waiting = vector;
	c->account->raised[c->level][vector]++;
	command(COMMAND_EXTINT);
	sti();
	received = wait_for_vector(c, vector);
	outb(PIC_DATA, 0xff);
	return received;
}

/* Ends the highest vector in service; writes nothing when there is none. */
void apic_eoi(struct cpu *c)
{
	for (int word = VECTORS / 64 - 1; word >= 0; word--) {
		u64 bits = c->in_service[word];
		int bit;

		if (!bits)
			continue;
		bit = 63 - __builtin_clzll(bits);
		c->in_service[word] = bits & ~(1ull << bit);
		/* The EOI of a hooked L2 is written by L1. */
		c->account->ended[who(c) == BY_L2_DIRECT ? L2 : L1][word * 64 + bit]++;
		apic_write(APIC_EOI, 0);
		return;
	}
}

void interrupt(u64 vector, u64 error, u64 rip)
{
	struct cpu *c = this_cpu();

	if (vector < FIRST_EXTERNAL)
		fatal(vector, rip, error);
	if (vector == SPURIOUS_VECTOR)
		return;
	c->account->received[c->level][vector]++;
	if (!__sync_bool_compare_and_swap(&c->waiting, (u32)vector, 0))
		c->account->late[vector]++;
	if (vector < PIC_VECTOR + 16) {
		outb(PIC_COMMAND, 0x20);
		return;
	}
	c->in_service[vector / 64] |= 1ull << vector % 64;
	if (vector != c->keep)
		apic_eoi(c);
}
