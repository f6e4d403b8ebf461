// SPDX-License-Identifier: Apache-2.0
/* What each scenario does. Every vCPU of the VM calls the function of scenarios.h. */
#include "cpu.h"
#include "l1.h"

#define LOW		0x41		/* timer, and the lower self-IPI */
#define MIDDLE		0x51
#define HIGH		0x61
#define HIGHEST		0x81
#define PIC_LINE_1	0x21

#define APIC_ID		0x20
#define APIC_LVR	0x30
#define APIC_TASKPRI	0x80

#define VISITS		4		/* of L2 */
#define STEP_MS		5000		/* the most that one vCPU waits for another */

/* An ordinary user of an APIC: a few registers read, IPIs to itself, the timer. */
static void use_apic(struct cpu *c)
{
	apic_enable();
	apic_read(APIC_ID);
	apic_read(APIC_LVR);
	apic_write(APIC_TASKPRI, 0);
	for (int i = 0; i < 5; i++)
		apic_ipi(c, MIDDLE);
	apic_timer(LOW);
}

void plain(struct cpu *c)
{
	use_apic(c);
	use_apic(c);
}

void passthrough(struct cpu *c)
{
	use_apic(c);
	for (int i = 0; i < VISITS; i++)
		in_l2(c, use_apic);
	use_apic(c);
}

void hooked(struct cpu *c)
{
	hook_apic_page(c);
	passthrough(c);
}

static void use_apic_and_init(struct cpu *c)
{
	use_apic(c);
	apic_send_init_to_others();
	use_apic(c);
}

/* BitVisor hides the APIC page until its guest sends INIT. */
void hooked_unhooked(struct cpu *c)
{
	hook_apic_page(c);
	c->unhook_on_init = true;
	in_l2(c, use_apic);
	in_l2(c, use_apic_and_init);
	in_l2(c, use_apic);
	use_apic(c);
}

static void take_and_keep(struct cpu *c)
{
	apic_enable();
	c->keep = HIGH;
	apic_ipi(c, HIGH);
	c->keep = 0;
}

static void nothing(struct cpu *c)
{
	(void)c;
}

/* After a crossing: does a lower vector come, here and after one more visit of L2? Does a higher one? */
static void recheck(struct cpu *c)
{
	apic_ipi(c, LOW);
	in_l2(c, nothing);
	apic_ipi(c, HIGHEST);
	apic_ipi(c, LOW);
}

void ack_l1_eoi_l2(struct cpu *c)
{
	take_and_keep(c);
	in_l2(c, apic_eoi);
	recheck(c);
}

void ack_l2_eoi_l1(struct cpu *c)
{
	in_l2(c, take_and_keep);
	apic_eoi(c);
	recheck(c);
}

void x2apic(struct cpu *c)
{
	apic_enter_x2apic(c);
	passthrough(c);
}

/* How far each vCPU has come, told to the other. */
static volatile u32 bsp_stage, ap_stage;
enum stage { BOTH_IN_L1 = 1, BOTH_IN_L2, AP_SENDS, OVER };

static void bsp_in_l2(struct cpu *c)
{
	apic_enable();
	bsp_stage = BOTH_IN_L2;
	wait_for(&ap_stage, BOTH_IN_L2, STEP_MS);
	for (int i = 0; i < 10; i++)
		apic_ipi(&cpus[1], HIGH);
	apic_ipi(c, MIDDLE);
	bsp_stage = AP_SENDS;
	wait_for(&ap_stage, OVER, STEP_MS);
}

static void ap_in_l2(struct cpu *c)
{
	(void)c;
	apic_enable();
	ap_stage = BOTH_IN_L2;
	wait_for(&bsp_stage, AP_SENDS, STEP_MS);
	for (int i = 0; i < 5; i++)
		apic_ipi(&cpus[0], HIGHEST);
	ap_stage = OVER;
}

void smp_ipi(struct cpu *c)
{
	apic_enable();
	if (c->id) {
		ap_stage = BOTH_IN_L1;
		wait_for(&bsp_stage, BOTH_IN_L2, STEP_MS);
		in_l2(c, ap_in_l2);
		return;
	}
	wait_for(&ap_stage, BOTH_IN_L1, STEP_MS);
	for (int i = 0; i < 3; i++)
		apic_ipi(&cpus[1], HIGH);
	in_l2(c, bsp_in_l2);
}

static void start_ap(struct cpu *c)
{
	(void)c;
	apic_enable();
	apic_send_init_sipi(&cpus[1]);
	wait_for(&ap_stage, BOTH_IN_L1, STEP_MS);
}

/* The AP waits for its SIPI; L2 of the BSP sends it, and the AP comes up in L1. */
void init_sipi(struct cpu *c)
{
	if (!c->id)
		in_l2(c, start_ap);
	smp_ipi(c);
}

static void send_while_blocked(struct cpu *c)
{
	command(COMMAND_BLOCK_IRQ);
	apic_ipi(c, MIDDLE);
	command(COMMAND_UNBLOCK_IRQ);
	apic_ipi(c, MIDDLE);
}

static void change_apic_id(struct cpu *c)
{
	u32 id = apic_read(APIC_ID);

	apic_write(APIC_ID, 5u << 24);
	apic_write(APIC_ID, id);
	apic_ipi(c, MIDDLE);
}

/* Each reason is set and cleared; moving the APIC comes last because newer kernels never clear that one. */
void inhibits(struct cpu *c)
{
	in_l2(c, use_apic);
	send_while_blocked(c);
	in_l2(c, send_while_blocked);

	command(COMMAND_PIT_REINJECT);
	use_apic(c);
	command(COMMAND_PIT_QUIET);
	apic_ipi(c, MIDDLE);

	apic_extint(PIC_LINE_1);
	in_l2(c, change_apic_id);

	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) + 0x1000);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) - 0x1000);
	use_apic(c);
}
