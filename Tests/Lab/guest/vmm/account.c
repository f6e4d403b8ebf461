// SPDX-License-Identifier: Apache-2.0
/* Whether a guest's account agrees with itself. */
#include "vmm.h"

static bool vector_balances(const struct vm *vm, u32 vector, char *why, size_t size)
{
	u32 sent = 0, received = 0, ended = 0, late = 0, timeouts = 0;

	for (u32 i = 0; i < vm->vcpu_count; i++) {
		const struct account *account = &vm->shared->account[i];

		for (u32 level = 0; level < LEVELS; level++) {
			sent += account->sent[level][vector] + account->armed[level][vector];
			sent += account->raised[level][vector];
			received += account->received[level][vector];
			ended += account->ended[level][vector];
		}
		late += account->late[vector];
		timeouts += account->timeouts[vector];
	}
	if (sent == received - late + timeouts && ended <= received)
		return true;
	snprintf(why, size, "vector 0x%02x: sent %u, received %u (late %u), timeouts %u, ended %u", vector, sent,
		 received, late, timeouts, ended);
	return false;
}

static bool hook_balances(const struct account *account, char *why, size_t size)
{
	for (u32 reg = 0; reg < REGISTERS; reg++) {
		if (account->reads[BY_L2_HOOKED][reg] != account->emulated_reads[reg] ||
		    account->writes[BY_L2_HOOKED][reg] != account->emulated_writes[reg]) {
			snprintf(why, size, "register 0x%x: L2's hooked accesses and L1's emulations differ", reg * 16);
			return false;
		}
	}
	return true;
}

bool account_balances(const struct vm *vm, char *why, size_t size)
{
	switch (vm->outcome) {
	case FINISHED:
		break;
	case FATAL:
		snprintf(why, size, "the guest gave up: reason %u at 0x%llx, info 0x%llx", vm->shared->fatal,
			 (unsigned long long)vm->shared->fatal_rip, (unsigned long long)vm->shared->fatal_info);
		return false;
	case TIMED_OUT:
		snprintf(why, size, "the guest did not finish in time");
		return false;
	default:
		snprintf(why, size, "%s", vm->failure);
		return false;
	}
	for (u32 vector = 0; vector < VECTORS; vector++)
		if (!vector_balances(vm, vector, why, size))
			return false;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		if (!vm->shared->account[i].online) {
			snprintf(why, size, "vCPU %u never came up", i);
			return false;
		}
		if (!hook_balances(&vm->shared->account[i], why, size))
			return false;
	}
	return true;
}
