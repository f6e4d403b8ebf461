// SPDX-License-Identifier: Apache-2.0
/* Running a VM: a thread a vCPU, the guest's commands, a bound on everything. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "vmm.h"

#define GRACE_SECONDS	2	/* for the other vCPUs, once the first is done */
#define PIC_LINE	1
#define SECOND_NS	1000000000ull

void vm_failed(struct vm *vm, const char *what)
{
	if (vm->outcome != RUNNING)
		return;
	vm->outcome = KVM_FAILED;
	snprintf(vm->failure, sizeof(vm->failure), "%s: %s", what, strerror(errno));
}

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static bool block_interrupts(struct vcpu *vcpu, bool block)
{
	struct kvm_guest_debug debug = {
		.control = block ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_BLOCKIRQ : 0,
	};

	return !ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* A PIT reinjects lost ticks from its creation on. */
static bool set_pit(struct vm *vm, bool reinject)
{
	struct kvm_reinject_control control = { .pit_reinject = reinject };
	struct kvm_pit_config config = { 0 };

	if (reinject && ioctl(vm->fd, KVM_CREATE_PIT2, &config) && errno != EEXIST)
		return false;
	return !ioctl(vm->fd, KVM_REINJECT_CONTROL, &control);
}

static bool pulse_pic_line(struct vm *vm)
{
	struct kvm_irq_level line = { .irq = PIC_LINE, .level = 1 };

	if (ioctl(vm->fd, KVM_IRQ_LINE, &line))
		return false;
	line.level = 0;
	return !ioctl(vm->fd, KVM_IRQ_LINE, &line);
}

static bool obey(struct vcpu *vcpu, enum command command)
{
	struct vm *vm = vcpu->vm;

	vcpu->commands++;
	switch (command) {
	case COMMAND_DONE:
		vcpu->done = true;
		return true;
	case COMMAND_FATAL:
		vm->outcome = FATAL;
		return true;
	case COMMAND_NO_NESTING:
		vm->outcome = NO_NESTING;
		return true;
	case COMMAND_BLOCK_IRQ:
		return block_interrupts(vcpu, true);
	case COMMAND_UNBLOCK_IRQ:
		return block_interrupts(vcpu, false);
	case COMMAND_PIT_REINJECT:
		return set_pit(vm, true);
	case COMMAND_PIT_QUIET:
		return set_pit(vm, false);
	case COMMAND_EXTINT:
		return pulse_pic_line(vm);
	}
	errno = EINVAL;
	return false;
}

static void read_apic(struct vcpu *vcpu)
{
	struct kvm_lapic_state apic;

	if (ioctl(vcpu->fd, KVM_GET_LAPIC, &apic))
		return vm_failed(vcpu->vm, "KVM_GET_LAPIC");
	for (u32 i = 0; i < 8; i++) {
		memcpy(&vcpu->irr[i], apic.regs + 0x200 + 16 * i, 4);
		memcpy(&vcpu->isr[i], apic.regs + 0x100 + 16 * i, 4);
	}
	memcpy(&vcpu->tpr, apic.regs + 0x80, 4);
	memcpy(&vcpu->ppr, apic.regs + 0xa0, 4);
}

static void *run_vcpu(void *argument)
{
	struct vcpu *vcpu = argument;
	struct vm *vm = vcpu->vm;
	struct kvm_run *run = vcpu->run;

	vcpu->tid = gettid();
	while (!vcpu->done && vm->outcome == RUNNING) {
		/* EAGAIN: a vCPU that waits for its SIPI was woken; EINTR: kicked. */
		if (ioctl(vcpu->fd, KVM_RUN, 0)) {
			if (errno != EAGAIN && errno != EINTR)
				vm_failed(vm, "KVM_RUN");
			continue;
		}
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == COMMAND_PORT) {
			if (!obey(vcpu, *((u8 *)run + run->io.data_offset)))
				vm_failed(vm, "a command of the guest");
		} else if (run->exit_reason != KVM_EXIT_INTR) {
			vm->outcome = KVM_FAILED;
			snprintf(vm->failure, sizeof(vm->failure), "vCPU %u: exit reason %u, suberror %u", vcpu->id,
				 run->exit_reason, run->internal.suberror);
		}
	}
	read_apic(vcpu);
	return NULL;
}

static void ignore(int signal)
{
	(void)signal;
}

/* Waits for the thread until the deadline; then it is kicked out of KVM_RUN until it ends. */
static void join(struct vcpu *vcpu, u64 deadline)
{
	struct timespec step = { .tv_nsec = 5000000 };

	while (pthread_tryjoin_np(vcpu->thread, NULL)) {
		if (now_ns() >= deadline || vcpu->vm->outcome != RUNNING) {
			if (vcpu->vm->outcome == RUNNING)
				vcpu->vm->outcome = TIMED_OUT;
			vcpu->run->immediate_exit = 1;
			pthread_kill(vcpu->thread, SIGUSR1);
		}
		nanosleep(&step, NULL);
	}
}

void vm_run(struct vm *vm, u32 seconds)
{
	struct sigaction action = { .sa_handler = ignore };
	u32 started = 0;

	sigaction(SIGUSR1, &action, NULL);
	vm->started_ns = now_ns();
	for (; vm->outcome == RUNNING && started < vm->vcpu_count; started++) {
		struct vcpu *vcpu = &vm->vcpus[started];

		errno = pthread_create(&vcpu->thread, NULL, run_vcpu, vcpu);
		if (errno) {
			vm_failed(vm, "pthread_create");
			break;
		}
	}
	for (u32 i = 0; i < started; i++)
		join(&vm->vcpus[i], i ? now_ns() + GRACE_SECONDS * SECOND_NS : vm->started_ns + seconds * SECOND_NS);
	if (vm->outcome == RUNNING)
		vm->outcome = FINISHED;
	vm->ended_ns = now_ns();
}
