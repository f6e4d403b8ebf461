/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenarios: name on the command line, function in l1/scenarios.c, vCPUs, VMs, flags.
 * To add one: a line here and the function there.
 */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#define NESTED		1	/* L1 runs an L2 */
#define AP_BY_SIPI	2	/* the second vCPU waits for INIT and SIPI; else the VMM starts it */

#define SCENARIOS(X)							\
	X("plain",		plain,			1, 1, 0)	\
	X("passthrough",	passthrough,		1, 1, NESTED)	\
	X("hooked",		hooked,			1, 1, NESTED)	\
	X("hooked-unhooked",	hooked_unhooked,	1, 1, NESTED)	\
	X("ack-l1-eoi-l2",	ack_l1_eoi_l2,		1, 1, NESTED)	\
	X("ack-l2-eoi-l1",	ack_l2_eoi_l1,		1, 1, NESTED)	\
	X("x2apic",		x2apic,			1, 1, NESTED)	\
	X("smp-ipi",		smp_ipi,		2, 1, NESTED)	\
	X("init-sipi",		init_sipi,		2, 1, NESTED | AP_BY_SIPI)	\
	X("inhibits",		inhibits,		1, 1, NESTED)	\
	X("two-vms",		passthrough,		1, 2, NESTED)

#endif
