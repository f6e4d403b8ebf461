// SPDX-License-Identifier: Apache-2.0
/* Start of a vCPU, its way to the VMM, and waiting with a bound. */
#include "cpu.h"
#include "l1.h"
#include "layout.h"

_Static_assert(PAGE_TABLES == GPA_PAGE_TABLES && GPA_IMAGE + ENTRY_OFFSET == GPA_ENTRY, "layout.h and shared.h");
_Static_assert(STACK_BYTES == STACK_SIZE && 1 << STACK_SHIFT == STACK_SIZE, "layout.h and l1.h");

struct __attribute__((packed)) gate {
	u16 offset_low;
	u16 selector;
	u16 type;
	u16 offset_middle;
	u32 offset_high;
	u32 zero;
};

/* The numbers are there before an AP comes up: an IPI to it needs its own. */
struct cpu cpus[MAX_CPUS] = { { .id = 0 }, { .id = 1 } };
static struct gate idt[VECTORS] __attribute__((aligned(16)));
extern char stubs[];

#define SCENARIO(name, function, vcpus, vms, flags) void function(struct cpu *c);
SCENARIOS(SCENARIO)
#undef SCENARIO

static const struct {
	l2_function run;
	u32 flags;
} scenarios[] = {
#define SCENARIO(name, function, vcpus, vms, flags) { function, flags },
	SCENARIOS(SCENARIO)
};

/* L1 and L2 of a vCPU have a stack each, both aligned to their size, and the vCPU's number is their first word. */
struct cpu *this_cpu(void)
{
	u64 stack;

	asm volatile("mov %%rsp, %0" : "=r"(stack));
	return &cpus[*(u64 *)(stack & ~(STACK_SIZE - 1ull))];
}

void command(enum command command)
{
	outb(COMMAND_PORT, command);
}

noreturn void fatal(u32 reason, u64 rip, u64 info)
{
	shared->fatal = reason;
	shared->fatal_rip = rip;
	shared->fatal_info = info;
	for (;;)
		command(COMMAND_FATAL);
}

u64 deadline_in(u32 ms)
{
	return rdtsc() + shared->tsc_khz * ms;
}

bool wait_for(volatile u32 *word, u32 value, u32 ms)
{
	u64 deadline = deadline_in(ms);

	while (*word != value) {
		if (rdtsc() >= deadline)
			return false;
		pause();
	}
	return true;
}

static void load_idt(void)
{
	struct descriptor_pointer pointer = { sizeof(idt) - 1, (u64)idt };

	/* The stubs have 16 bytes each; every vCPU writes the same values. */
	for (u64 i = 0; i < VECTORS; i++) {
		u64 stub = (u64)stubs + i * 16;

		idt[i].offset_low = stub;
		idt[i].selector = CODE_SELECTOR;
		idt[i].type = 0x8e00;
		idt[i].offset_middle = stub >> 16;
	}
	asm volatile("lidt %0" : : "m"(pointer));
}

noreturn void l1_main(u64 id)
{
	struct cpu *c = &cpus[id];

	c->level = L1;
	c->account = &shared->account[id];
	c->account->online = 1;
	load_idt();
	if (scenarios[shared->scenario].flags & NESTED)
		nested_init(c);
	sti();
	scenarios[shared->scenario].run(c);
	cli();
	for (;;)
		command(COMMAND_DONE);
}
