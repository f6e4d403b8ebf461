// SPDX-License-Identifier: Apache-2.0
/* Creation of a VM: memory, the L1 image, vCPUs in long mode at its entry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm.h"

#define CR0_PE_MP_NE_PG		0x80000023ull
#define CR4_PAE			0x20
#define EFER_LME_LMA_NXE	0xd00
#define PAGE_FLAGS		7	/* present, writable, user */
#define PAGE_LARGE		0x80
#define PAGE_DEVICE		0x1b	/* present, writable, uncached */
#define APIC_SPIV		0xf0
#define CPUID_ENTRIES		256

extern const u8 l1_image[], l1_image_end[];

static void *map_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("lab-vmm: mmap");
		exit(1);
	}
	return memory;
}

struct vm *vm_allocate(u32 number, const struct scenario *scenario)
{
	struct vm *vm = map_shared(sizeof(*vm));

	vm->memory = map_shared(GUEST_MEMORY);
	vm->shared = (struct shared *)(vm->memory + GPA_SHARED);
	vm->vcpu_count = scenario->vcpus;
	vm->waits_for_sipi = scenario->flags & AP_BY_SIPI;
	vm->shared->scenario = number;
	vm->shared->vcpus = scenario->vcpus;
	memcpy(vm->memory + GPA_IMAGE, l1_image, l1_image_end - l1_image);
	map_identity((struct tables *)(vm->memory + GPA_PAGE_TABLES), GPA_PAGE_TABLES, PAGE_FLAGS, PAGE_FLAGS,
		     PAGE_LARGE, PAGE_DEVICE);
	return vm;
}

static bool set_cpuid(struct vcpu *vcpu, int kvm)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	bool done;

	if (!cpuid)
		return false;
	cpuid->nent = CPUID_ENTRIES;
	done = !ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	for (u32 i = 0; done && i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == 1)
			entry->ebx = (entry->ebx & 0xffffff) | vcpu->id << 24;
		else if (entry->function == 0xb || entry->function == 0x1f)
			entry->edx = vcpu->id;
	}
	done = done && !ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return done;
}

static bool set_long_mode(struct vcpu *vcpu)
{
	struct kvm_segment data = { .limit = ~0u, .selector = 0x10, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1 };
	struct kvm_segment code = { .limit = ~0u, .selector = 0x08, .type = 11, .present = 1, .l = 1, .s = 1, .g = 1 };
	struct kvm_regs regs = { .rip = GPA_ENTRY, .rflags = 2, .rdi = vcpu->id };
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return false;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = CR0_PE_MP_NE_PG;
	sregs.cr3 = GPA_PAGE_TABLES;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME_LMA_NXE;
	return !ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) && !ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

/*
 * The APIC is software-enabled from the start, as firmware leaves it: with force_avic KVM never sees what L1 writes.
 * The write also makes KVM rebuild its APIC map, without which INIT to a late vCPU is dropped.
 */
static bool enable_apic(struct vcpu *vcpu)
{
	struct kvm_lapic_state apic;
	u32 spiv = 0x1ff;

	if (ioctl(vcpu->fd, KVM_GET_LAPIC, &apic))
		return false;
	memcpy(apic.regs + APIC_SPIV, &spiv, sizeof(spiv));
	return !ioctl(vcpu->fd, KVM_SET_LAPIC, &apic);
}

static bool create_vcpu(struct vcpu *vcpu, int kvm, bool waits_for_sipi)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu->fd = ioctl(vcpu->vm->fd, KVM_CREATE_VCPU, vcpu->id);
	if (vcpu->fd < 0 || size < 0)
		return false;
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED || !set_cpuid(vcpu, kvm) || !enable_apic(vcpu))
		return false;
	return waits_for_sipi || (set_long_mode(vcpu) && !ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable));
}

void vm_create(struct vm *vm, int kvm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_MEMORY,
		.userspace_addr = (u64)vm->memory,
	};

	vm->pid = getpid();
	vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return vm_failed(vm, "KVM_CREATE_VM");
	/* Only VMX without unrestricted guest needs it; elsewhere it is not there. */
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) || ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
		return vm_failed(vm, "memory and interrupt controllers");
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		vcpu->vm = vm;
		vcpu->id = i;
		if (!create_vcpu(vcpu, kvm, i && vm->waits_for_sipi))
			return vm_failed(vm, "creation of a vCPU");
	}
	vm->shared->tsc_khz = ioctl(vm->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);
}
