/* SPDX-License-Identifier: Apache-2.0 */
/* A VMM that is just large enough for the L1 image: what its files share. */
#ifndef VMM_H
#define VMM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdio.h>

#include "../scenarios.h"
#include "../shared.h"

#define EXIT_SKIPPED	77

struct scenario {
	const char *name;
	u32 vcpus, vms;
	u32 flags;
};

enum outcome { RUNNING, FINISHED, FATAL, NO_NESTING, TIMED_OUT, KVM_FAILED };

struct vcpu {
	struct vm *vm;
	u32 id;
	int fd;
	pid_t tid;
	pthread_t thread;
	struct kvm_run *run;
	u32 commands;			/* of the guest, each an exit to userspace */
	bool done;
	u32 irr[8], isr[8], tpr, ppr;	/* at the end */
};

/* Lives in memory shared by the VMM's processes, one of which runs each VM. */
struct vm {
	int fd;
	pid_t pid;
	enum outcome outcome;
	char failure[160];
	u8 *memory;
	struct shared *shared;
	u64 started_ns, ended_ns;	/* CLOCK_MONOTONIC */
	u32 vcpu_count;
	bool waits_for_sipi;		/* vCPU 1 */
	struct vcpu vcpus[MAX_CPUS];
};

/* vm.c */
struct vm *vm_allocate(u32 number, const struct scenario *scenario);
void vm_create(struct vm *vm, int kvm);
/* run.c */
void vm_run(struct vm *vm, u32 seconds);
void vm_failed(struct vm *vm, const char *what);
/* account.c */
bool account_balances(const struct vm *vm, char *why, size_t size);
/* json.c */
void json_print(FILE *out, const struct scenario *scenario, struct vm *const *vms, const char *wrong);

#endif
