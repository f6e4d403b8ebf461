// SPDX-License-Identifier: Apache-2.0
/* L2 by SVM with nested paging (AMD64 Architecture Programmer's Manual, volume 2, chapter 15 and appendix B). */
#include "cpu.h"
#include "l1.h"

#define INTERCEPT_CPUID		(1u << 18)
#define INTERCEPT_SHUTDOWN	(1u << 31)
#define INTERCEPT_VMRUN		(1u << 0)
#define INTERCEPT_VMMCALL	(1u << 1)
#define EXIT_CPUID		0x72
#define EXIT_VMMCALL		0x81
#define EXIT_NPF		0x400
#define FLUSH_ALL		1
/* present, writable, user: a nested walk is always a user access */
#define NPT_ENTRY		7
#define NPT_LARGE		0x80

struct __attribute__((packed)) segment {
	u16 selector, attributes;
	u32 limit;
	u64 base;
};

struct __attribute__((packed)) vmcb {
	u32 intercept_cr, intercept_dr, intercept_exceptions, intercept1, intercept2;
	u8 reserved1[0x58 - 0x14];
	u32 asid;
	u8 flush;
	u8 reserved2[0x70 - 0x5d];
	u64 exit_code, exit_info1, exit_info2, exit_int_info;
	u64 nested_paging;
	u8 reserved3[0xb0 - 0x98];
	u64 nested_cr3;
	u8 reserved4[0x400 - 0xb8];
	struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved5[0x4cb - 0x4a0];
	u8 cpl;
	u32 reserved6;
	u64 efer;
	u8 reserved7[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved8[0x5d8 - 0x580];
	u64 rsp;
	u8 reserved9[0x5f8 - 0x5e0];
	u64 rax;
	u8 reserved10[0x668 - 0x600];
	u64 pat;
	u8 reserved11[0x1000 - 0x670];
};
_Static_assert(sizeof(struct vmcb) == 0x1000, "VMCB layout");

#define PAGE_ALIGNED __attribute__((aligned(4096)))
static struct vmcb vmcbs[MAX_CPUS] PAGE_ALIGNED;
static u8 host_save[MAX_CPUS][4096] PAGE_ALIGNED;
static struct tables npts[MAX_CPUS] PAGE_ALIGNED;

void svm_run(struct registers *l2, u64 vmcb);

static bool svm_available(void)
{
	u32 a, b, c, d;

	cpuid(0x80000000, &a, &b, &c, &d);
	if (a < 0x8000000a)
		return false;
	cpuid(0x80000001, &a, &b, &c, &d);
	if (!(c & 1 << 2))
		return false;
	cpuid(0x8000000a, &a, &b, &c, &d);
	return d & 1;
}

static void svm_init(struct cpu *c)
{
	struct vmcb *vmcb = &vmcbs[c->id];
	struct tables *npt = &npts[c->id];
	struct descriptor_pointer gdt, idt;

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, (u64)host_save[c->id]);
	map_identity(npt, (u64)npt, NPT_ENTRY, NPT_ENTRY, NPT_LARGE, NPT_ENTRY);

	vmcb->intercept1 = INTERCEPT_CPUID | INTERCEPT_SHUTDOWN;
	vmcb->intercept2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL;
	vmcb->asid = 1;
	vmcb->nested_paging = 1;
	vmcb->nested_cr3 = (u64)npt;
	vmcb->cs = (struct segment){ CODE_SELECTOR, 0xa9b, ~0u, 0 };
	vmcb->ds = vmcb->es = vmcb->ss = (struct segment){ DATA_SELECTOR, 0xc93, ~0u, 0 };
	sgdt(&gdt);
	sidt(&idt);
	vmcb->gdtr = (struct segment){ 0, 0, gdt.limit, gdt.base };
	vmcb->idtr = (struct segment){ 0, 0, idt.limit, idt.base };
	vmcb->efer = rdmsr(MSR_EFER);
	vmcb->cr0 = read_cr0();
	vmcb->cr3 = read_cr3();
	vmcb->cr4 = read_cr4();
	vmcb->dr6 = 0xffff0ff0;
	vmcb->dr7 = 0x400;
	vmcb->pat = 0x0007040600070406;
}

static void svm_reset(struct cpu *c, u64 rip, u64 rsp)
{
	vmcbs[c->id].rip = rip;
	vmcbs[c->id].rsp = rsp;
	vmcbs[c->id].rflags = 2;
}

static enum l2_exit svm_enter(struct cpu *c, u64 *info)
{
	struct vmcb *vmcb = &vmcbs[c->id];

	vmcb->rax = c->l2.rax;
	vmcb->flush = FLUSH_ALL;
	/* An interrupt between the two would be booked at the wrong level. */
	asm volatile("clgi" : : : "memory");
	c->level = L2;
	svm_run(&c->l2, (u64)vmcb);
	c->level = L1;
	asm volatile("stgi" : : : "memory");
	c->l2.rax = vmcb->rax;
	switch (vmcb->exit_code) {
	case EXIT_VMMCALL:
		return L2_HYPERCALL;
	case EXIT_CPUID:
		return L2_CPUID;
	case EXIT_NPF:
		*info = vmcb->exit_info2;
		return L2_FAULT;
	default:
		*info = vmcb->exit_code;
		return L2_OTHER;
	}
}

static u64 svm_rip(struct cpu *c)
{
	return vmcbs[c->id].rip;
}

static void svm_set_rip(struct cpu *c, u64 rip)
{
	vmcbs[c->id].rip = rip;
}

static void svm_set_apic_page(struct cpu *c, bool present)
{
	npts[c->id].apic[0] = present ? APIC_BASE | NPT_ENTRY : 0;
}

const struct virtualization svm = {
	.available = svm_available,
	.init = svm_init,
	.reset = svm_reset,
	.enter = svm_enter,
	.rip = svm_rip,
	.set_rip = svm_set_rip,
	.set_apic_page = svm_set_apic_page,
};
