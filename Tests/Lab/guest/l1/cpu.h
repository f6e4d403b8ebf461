/* SPDX-License-Identifier: Apache-2.0 */
/* The processor's instructions and registers that C has no words for. */
#ifndef CPU_H
#define CPU_H

#include "../shared.h"

#define MSR_APIC_BASE		0x1b
#define  APIC_BASE_ENABLE	(1ull << 11)
#define  APIC_BASE_X2APIC	(1ull << 10)
#define MSR_FEATURE_CONTROL	0x3a
#define MSR_X2APIC		0x800
#define MSR_EFER		0xc0000080
#define  EFER_SVME		(1ull << 12)
#define MSR_VM_HSAVE_PA		0xc0010117

#define CODE_SELECTOR		0x08
#define DATA_SELECTOR		0x10
#define TSS_SELECTOR		0x18
#define RFLAGS_IF		(1ull << 9)

struct __attribute__((packed)) descriptor_pointer {
	u16 limit;
	u64 base;
};

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline void cpuid(u32 leaf, u32 *a, u32 *b, u32 *c, u32 *d)
{
	asm volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

#define READ_REGISTER(name)						\
static inline u64 read_##name(void)					\
{									\
	u64 value;							\
									\
	asm volatile("mov %%" #name ", %0" : "=r"(value));		\
	return value;							\
}
READ_REGISTER(cr0)
READ_REGISTER(cr3)
READ_REGISTER(cr4)

static inline void write_cr0(u64 value) { asm volatile("mov %0, %%cr0" : : "r"(value) : "memory"); }
static inline void write_cr4(u64 value) { asm volatile("mov %0, %%cr4" : : "r"(value) : "memory"); }
static inline void sgdt(struct descriptor_pointer *p) { asm volatile("sgdt %0" : "=m"(*p)); }
static inline void sidt(struct descriptor_pointer *p) { asm volatile("sidt %0" : "=m"(*p)); }
static inline void sti(void) { asm volatile("sti" : : : "memory"); }
static inline void cli(void) { asm volatile("cli" : : : "memory"); }
static inline void pause(void) { asm volatile("pause" : : : "memory"); }

#endif
