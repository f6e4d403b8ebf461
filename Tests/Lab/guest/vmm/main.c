// SPDX-License-Identifier: Apache-2.0
/*
 * lab-vmm SCENARIO: runs one scenario and prints the guest's account as one JSON object.
 * Status: 0 the account balances, 1 it does not or the guest failed, 64 wrong usage, 77 this host can't run it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm.h"

#define EXIT_USAGE	64
#define MAX_VMS		2
#define SECONDS		30

static const struct scenario scenarios[] = {
#define SCENARIO(name, function, vcpus, vms, flags) { name, vcpus, vms, flags },
	SCENARIOS(SCENARIO)
};
#define SCENARIO_COUNT (sizeof(scenarios) / sizeof(scenarios[0]))

static int usage(void)
{
	fprintf(stderr, "usage: lab-vmm SCENARIO | --list | --hold\nscenarios:");
	for (u32 i = 0; i < SCENARIO_COUNT; i++)
		fprintf(stderr, " %s", scenarios[i].name);
	fprintf(stderr, "\n");
	return EXIT_USAGE;
}

static int skipped(const char *why)
{
	fprintf(stderr, "lab-vmm: skipped: %s\n", why);
	return EXIT_SKIPPED;
}

/*
 * Keeps a VM with a vCPU that never runs, until killed. KVM patches code with the first VM (preempt_notifier_key, in
 * the scheduler) and with the first and last APIC that is disabled by software (apic_sw_disabled, a second late);
 * emulators with a thread per processor are not reliable at that, so the lab has it done once.
 */
static int hold_a_vm(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || ioctl(vm, KVM_CREATE_IRQCHIP, 0) || ioctl(vm, KVM_CREATE_VCPU, 0) < 0)
		return skipped("can't create a VM");
	for (;;)
		pause();
}

/* The first VM runs in this process, a second one in a child: a VM is a process's, as with any other VMM. */
static void run(struct vm **vms, u32 count, int kvm)
{
	pid_t child = 0;

	if (count > 1) {
		child = fork();
		if (child < 0) {
			vm_failed(vms[1], "fork");
			return;
		}
		if (!child) {
			vm_create(vms[1], kvm);
			vm_run(vms[1], SECONDS);
			_exit(0);
		}
	}
	vm_create(vms[0], kvm);
	vm_run(vms[0], SECONDS);
	if (child)
		waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
	const struct scenario *scenario = NULL;
	struct vm *vms[MAX_VMS] = { 0 };
	char wrong[256] = "";
	bool hold;
	int kvm;

	if (argc != 2)
		return usage();
	if (!strcmp(argv[1], "--list")) {
		for (u32 i = 0; i < SCENARIO_COUNT; i++)
			puts(scenarios[i].name);
		return 0;
	}
	hold = !strcmp(argv[1], "--hold");
	for (u32 i = 0; i < SCENARIO_COUNT; i++)
		if (!strcmp(argv[1], scenarios[i].name))
			scenario = &scenarios[i];
	if (!scenario && !hold)
		return usage();
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return skipped(errno == EACCES ? "no permission to open /dev/kvm: be root or join its group"
					       : "no /dev/kvm: load kvm_intel or kvm_amd");
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return skipped("/dev/kvm speaks another API version");
	if (hold)
		return hold_a_vm(kvm);

	for (u32 i = 0; i < scenario->vms; i++)
		vms[i] = vm_allocate(scenario - scenarios, scenario);
	run(vms, scenario->vms, kvm);
	for (u32 i = 0; i < scenario->vms; i++) {
		if (vms[i]->outcome == NO_NESTING)
			return skipped("KVM offers its guests neither SVM with nested paging nor VMX with EPT: "
				       "load kvm_amd or kvm_intel with nested=1, on a processor that has them");
		if (!account_balances(vms[i], wrong, sizeof(wrong)))
			fprintf(stderr, "lab-vmm: %s: VM %u: %s\n", scenario->name, i, wrong);
	}
	json_print(stdout, scenario, vms, wrong);
	return *wrong ? 1 : 0;
}
