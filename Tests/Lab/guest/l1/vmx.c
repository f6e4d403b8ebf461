// SPDX-License-Identifier: Apache-2.0
/*
 * L2 by VMX with EPT (Intel SDM, volume 3, chapters 24 to 28). L1 uses neither external-interrupt exiting nor any APIC
 * virtualization for L2: L2 shares L1's APIC.
 */
#include "cpu.h"
#include "l1.h"
#include "vmcs.h"

#define CR4_VMXE		(1ull << 13)
#define FEATURE_LOCKED_VMX	5
#define EPT_TABLE		7	/* read, write, execute */
#define EPT_PAGE		0x37	/* the same, write-back */
#define EPT_LARGE		0x80
#define EPT_DEVICE		7	/* the same, uncached */
#define EPT_POINTER_FLAGS	0x1e	/* write-back, four levels */
#define UNUSABLE		0x10000

#define PAGE_ALIGNED __attribute__((aligned(4096)))
static u32 vmxon_regions[MAX_CPUS][1024] PAGE_ALIGNED;
static u32 vmcs_regions[MAX_CPUS][1024] PAGE_ALIGNED;
static u8 msr_bitmap[4096] PAGE_ALIGNED;
static u8 host_tss[128] PAGE_ALIGNED;
static struct tables epts[MAX_CPUS] PAGE_ALIGNED;
static bool launched[MAX_CPUS];
static const u16 zero_fields[] = { ZERO_FIELDS };

bool vmx_run(struct registers *l2, bool launched);
extern char vmx_exit[];

static void vmwrite(u64 field, u64 value)
{
	asm volatile("vmwrite %0, %1" : : "r"(value), "r"(field) : "cc", "memory");
}

static u64 vmread(u64 field)
{
	u64 value;

	asm volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}

static void set_segment(u32 index, u16 selector, u32 limit, u32 rights)
{
	vmwrite(GUEST_ES_SELECTOR + 2 * index, selector);
	vmwrite(GUEST_ES_LIMIT + 2 * index, limit);
	vmwrite(GUEST_ES_RIGHTS + 2 * index, rights);
}

/* The wanted control bits with those that the processor insists on, less those that it does not have. */
static u32 controls(u32 msr, u32 wanted)
{
	u64 allowed;

	if (msr != MSR_VMX_CPU2 && rdmsr(MSR_VMX_BASIC) & VMX_TRUE_CONTROLS)
		msr += VMX_TRUE_OFFSET;
	allowed = rdmsr(msr);
	return (wanted | (u32)allowed) & (u32)(allowed >> 32);
}

static bool vmx_available(void)
{
	u64 ept = EPT_WALK_4 | EPT_WRITE_BACK | EPT_2MB;
	u32 a, b, c, d;

	cpuid(1, &a, &b, &c, &d);
	if (!(c & 1 << 5))
		return false;
	if (!(controls(MSR_VMX_CPU, CPU_SECONDARY) & CPU_SECONDARY) || !(controls(MSR_VMX_CPU2, CPU2_EPT) & CPU2_EPT))
		return false;
	return (rdmsr(MSR_VMX_EPT_CAPABILITY) & ept) == ept;
}

static void load_vmcs(struct cpu *c)
{
	u64 vmxon = (u64)vmxon_regions[c->id], vmcs = (u64)vmcs_regions[c->id];
	u8 failed;

	vmxon_regions[c->id][0] = vmcs_regions[c->id][0] = rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
	asm volatile("vmxon %1; setna %0" : "=r"(failed) : "m"(vmxon) : "cc", "memory");
	if (!failed)
		asm volatile("vmclear %1; setna %0" : "=r"(failed) : "m"(vmcs) : "cc", "memory");
	if (!failed)
		asm volatile("vmptrld %1; setna %0" : "=r"(failed) : "m"(vmcs) : "cc", "memory");
	if (failed)
		fatal(L2_OTHER, 0, vmcs);
}

static void vmx_init(struct cpu *c)
{
	struct tables *ept = &epts[c->id];
	struct descriptor_pointer gdt, idt;

	if (!(rdmsr(MSR_FEATURE_CONTROL) & 1))
		wrmsr(MSR_FEATURE_CONTROL, FEATURE_LOCKED_VMX);
	write_cr0(read_cr0() | rdmsr(MSR_VMX_CR0_FIXED0));
	write_cr4(read_cr4() | rdmsr(MSR_VMX_CR4_FIXED0) | CR4_VMXE);
	load_vmcs(c);
	map_identity(ept, (u64)ept, EPT_TABLE, EPT_PAGE, EPT_LARGE, EPT_DEVICE);

	for (u32 i = 0; i < sizeof(zero_fields) / sizeof(zero_fields[0]); i++)
		vmwrite(zero_fields[i], 0);
	vmwrite(PIN_CONTROLS, controls(MSR_VMX_PIN, 0));
	vmwrite(CPU_CONTROLS, controls(MSR_VMX_CPU, CPU_SECONDARY | CPU_MSR_BITMAP));
	vmwrite(CPU_CONTROLS2, controls(MSR_VMX_CPU2, CPU2_EPT));
	vmwrite(EXIT_CONTROLS, controls(MSR_VMX_EXIT, EXIT_HOST_64BIT));
	vmwrite(ENTRY_CONTROLS, controls(MSR_VMX_ENTRY, ENTRY_GUEST_64BIT));
	vmwrite(MSR_BITMAP, (u64)msr_bitmap);
	vmwrite(EPT_POINTER, (u64)ept | EPT_POINTER_FLAGS);
	vmwrite(VMCS_LINK, ~0ull);

	set_segment(0, DATA_SELECTOR, ~0u, 0xc093);
	set_segment(1, CODE_SELECTOR, ~0u, 0xa09b);
	set_segment(2, DATA_SELECTOR, ~0u, 0xc093);
	set_segment(3, DATA_SELECTOR, ~0u, 0xc093);
	for (u32 i = 4; i < 7; i++)
		set_segment(i, 0, 0, UNUSABLE);
	set_segment(7, TSS_SELECTOR, 0x67, 0x8b);
	sgdt(&gdt);
	sidt(&idt);
	vmwrite(GUEST_GDTR_BASE, gdt.base);
	vmwrite(GUEST_GDTR_LIMIT, gdt.limit);
	vmwrite(GUEST_IDTR_BASE, idt.base);
	vmwrite(GUEST_IDTR_LIMIT, idt.limit);
	vmwrite(GUEST_CR0, read_cr0());
	vmwrite(GUEST_CR3, read_cr3());
	vmwrite(GUEST_CR4, read_cr4());
	vmwrite(GUEST_DR7, 0x400);

	vmwrite(HOST_ES_SELECTOR, DATA_SELECTOR);
	vmwrite(HOST_ES_SELECTOR + 2, CODE_SELECTOR);
	vmwrite(HOST_ES_SELECTOR + 4, DATA_SELECTOR);
	vmwrite(HOST_ES_SELECTOR + 6, DATA_SELECTOR);
	vmwrite(HOST_ES_SELECTOR + 12, TSS_SELECTOR);
	vmwrite(HOST_TR_BASE, (u64)host_tss);
	vmwrite(HOST_CR0, read_cr0());
	vmwrite(HOST_CR3, read_cr3());
	vmwrite(HOST_CR4, read_cr4());
	vmwrite(HOST_GDTR_BASE, gdt.base);
	vmwrite(HOST_IDTR_BASE, idt.base);
	vmwrite(HOST_RIP, (u64)vmx_exit);
}

static void vmx_reset(struct cpu *c, u64 rip, u64 rsp)
{
	(void)c;
	vmwrite(GUEST_RIP, rip);
	vmwrite(GUEST_RSP, rsp);
	vmwrite(GUEST_RFLAGS, 2);
	vmwrite(GUEST_INTERRUPTIBILITY, 0);
}

static enum l2_exit vmx_enter(struct cpu *c, u64 *info)
{
	bool entered;
	u32 reason;

	/* An interrupt between the two would be booked at the wrong level; VMX leaves with interrupts off, too. */
	cli();
	c->level = L2;
	entered = vmx_run(&c->l2, launched[c->id]);
	c->level = L1;
	sti();
	if (!entered)
		fatal(L2_OTHER, 0, vmread(INSTRUCTION_ERROR));
	launched[c->id] = true;
	reason = vmread(EXIT_REASON);
	switch (reason) {
	case EXIT_REASON_VMCALL:
		return L2_HYPERCALL;
	case EXIT_REASON_CPUID:
		return L2_CPUID;
	case EXIT_REASON_EPT_FAULT:
		*info = vmread(GUEST_PHYSICAL);
		return L2_FAULT;
	default:
		*info = reason;
		return L2_OTHER;
	}
}

static u64 vmx_rip(struct cpu *c)
{
	(void)c;
	return vmread(GUEST_RIP);
}

static void vmx_set_rip(struct cpu *c, u64 rip)
{
	(void)c;
	vmwrite(GUEST_RIP, rip);
}

static void vmx_set_apic_page(struct cpu *c, bool present)
{
	struct { u64 ept_pointer, reserved; } context = { (u64)&epts[c->id] | EPT_POINTER_FLAGS, 0 };
	u64 one_context = 1;

	epts[c->id].apic[0] = present ? APIC_BASE | EPT_DEVICE : 0;
	asm volatile("invept %0, %1" : : "m"(context), "r"(one_context) : "cc", "memory");
}

const struct virtualization vmx = {
	.available = vmx_available,
	.init = vmx_init,
	.reset = vmx_reset,
	.enter = vmx_enter,
	.rip = vmx_rip,
	.set_rip = vmx_set_rip,
	.set_apic_page = vmx_set_apic_page,
};
