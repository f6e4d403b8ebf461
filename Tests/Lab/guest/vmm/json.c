// SPDX-License-Identifier: Apache-2.0
/* The guest's account as one JSON object. Zero counts are left out of the maps. */
#include "vmm.h"

static const char *const outcomes[] = {
	[RUNNING] = "running", [FINISHED] = "finished", [FATAL] = "fatal", [NO_NESTING] = "no-nesting",
	[TIMED_OUT] = "timed-out", [KVM_FAILED] = "kvm-failed",
};
static const char *const isas[] = { [ISA_NONE] = "none", [ISA_SVM] = "svm", [ISA_VMX] = "vmx" };
static const char *const level_names[] = { [L1] = "l1", [L2] = "l2" };
static const char *const access_names[] = {
	[BY_L1] = "l1", [BY_L2_DIRECT] = "l2Direct", [BY_L2_HOOKED] = "l2Hooked",
};

/* "name":{"0x41":3,...}, keyed by index * scale. */
static void map(FILE *out, const char *name, const u32 *counts, u32 length, u32 scale)
{
	const char *comma = "";

	fprintf(out, "\"%s\":{", name);
	for (u32 i = 0; i < length; i++) {
		if (!counts[i])
			continue;
		fprintf(out, "%s\"0x%x\":%u", comma, i * scale, counts[i]);
		comma = ",";
	}
	fprintf(out, "}");
}

static void by_level(FILE *out, const char *name, const u32 (*counts)[VECTORS])
{
	fprintf(out, "\"%s\":{", name);
	for (u32 level = 0; level < LEVELS; level++) {
		map(out, level_names[level], counts[level], VECTORS, 1);
		fprintf(out, level + 1 < LEVELS ? "," : "},\n      ");
	}
}

static void by_access(FILE *out, const char *name, const u32 (*counts)[REGISTERS])
{
	fprintf(out, "\"%s\":{", name);
	for (u32 access = 0; access < ACCESSES; access++) {
		map(out, access_names[access], counts[access], REGISTERS, 16);
		fprintf(out, access + 1 < ACCESSES ? "," : "},\n      ");
	}
}

static void bits(FILE *out, const char *name, const u32 *words)
{
	const char *comma = "";

	fprintf(out, "\"%s\":[", name);
	for (u32 vector = 0; vector < VECTORS; vector++) {
		if (!(words[vector / 32] >> vector % 32 & 1))
			continue;
		fprintf(out, "%s\"0x%x\"", comma, vector);
		comma = ",";
	}
	fprintf(out, "],");
}

static void print_vcpu(FILE *out, const struct vcpu *vcpu, const struct account *account)
{
	fprintf(out, "     {\"id\":%u,\"tid\":%d,\"online\":%s,\"commands\":%u,\n      ", vcpu->id, vcpu->tid,
		account->online ? "true" : "false", vcpu->commands);
	by_level(out, "sent", account->sent);
	by_level(out, "armed", account->armed);
	by_level(out, "raised", account->raised);
	by_level(out, "received", account->received);
	by_level(out, "ended", account->ended);
	map(out, "late", account->late, VECTORS, 1);
	fprintf(out, ",");
	map(out, "timeouts", account->timeouts, VECTORS, 1);
	fprintf(out, ",\n      ");
	by_access(out, "reads", account->reads);
	by_access(out, "writes", account->writes);
	map(out, "emulatedReads", account->emulated_reads, REGISTERS, 16);
	fprintf(out, ",");
	map(out, "emulatedWrites", account->emulated_writes, REGISTERS, 16);
	fprintf(out, ",\n      \"initSent\":%u,\"sipiSent\":%u,\"vmruns\":%u,", account->inits, account->sipis,
		account->vmruns);
	fprintf(out, "\"exits\":{\"fault\":%u,\"hypercall\":%u,\"cpuid\":%u,\"other\":%u},\n      ",
		account->exits_fault, account->exits_hypercall, account->exits_cpuid, account->exits_other);
	fprintf(out, "\"final\":{");
	bits(out, "irr", vcpu->irr);
	bits(out, "isr", vcpu->isr);
	fprintf(out, "\"tpr\":\"0x%x\",\"ppr\":\"0x%x\"}}", vcpu->tpr, vcpu->ppr);
}

static void print_vm(FILE *out, const struct vm *vm)
{
	fprintf(out, "   {\"pid\":%d,\"outcome\":\"%s\",\"isa\":\"%s\",", vm->pid, outcomes[vm->outcome],
		isas[vm->shared->isa]);
	fprintf(out, "\"tscKHz\":%llu,\"startedNs\":%llu,\"endedNs\":%llu,\n", (unsigned long long)vm->shared->tsc_khz,
		(unsigned long long)vm->started_ns, (unsigned long long)vm->ended_ns);
	fprintf(out, "    \"vcpus\":[\n");
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		print_vcpu(out, &vm->vcpus[i], &vm->shared->account[i]);
		fprintf(out, i + 1 < vm->vcpu_count ? ",\n" : "]}");
	}
}

void json_print(FILE *out, const struct scenario *scenario, struct vm *const *vms, const char *wrong)
{
	fprintf(out, "{\"scenario\":\"%s\",\"nested\":%s,", scenario->name, scenario->flags & NESTED ? "true" : "false");
	fprintf(out, "\"balanced\":%s,\"wrong\":\"%s\",\n  \"vms\":[\n", *wrong ? "false" : "true", wrong);
	for (u32 i = 0; i < scenario->vms; i++) {
		print_vm(out, vms[i]);
		fprintf(out, i + 1 < scenario->vms ? ",\n" : "]}\n");
	}
}
