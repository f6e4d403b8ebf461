/* SPDX-License-Identifier: Apache-2.0 */
/* VMCS field encodings and control bits (Intel SDM, volume 3, appendix B and chapter 25), as far as vmx.c uses them. */
#ifndef VMCS_H
#define VMCS_H

#define GUEST_ES_SELECTOR	0x0800	/* CS, SS, DS, FS, GS, LDTR, TR follow by 2 */
#define HOST_ES_SELECTOR	0x0c00	/* CS, SS, DS, FS, GS, TR follow by 2 */
#define MSR_BITMAP		0x2004
#define EPT_POINTER		0x201a
#define GUEST_PHYSICAL		0x2400
#define VMCS_LINK		0x2800
#define PIN_CONTROLS		0x4000
#define CPU_CONTROLS		0x4002
#define EXIT_CONTROLS		0x400c
#define ENTRY_CONTROLS		0x4012
#define CPU_CONTROLS2		0x401e
#define INSTRUCTION_ERROR	0x4400
#define EXIT_REASON		0x4402
#define GUEST_ES_LIMIT		0x4800	/* ..., TR, GDTR, IDTR follow by 2 */
#define GUEST_GDTR_LIMIT	0x4810
#define GUEST_IDTR_LIMIT	0x4812
#define GUEST_ES_RIGHTS		0x4814	/* ..., TR follow by 2 */
#define GUEST_INTERRUPTIBILITY	0x4824
#define GUEST_CR0		0x6800
#define GUEST_CR3		0x6802
#define GUEST_CR4		0x6804
#define GUEST_GDTR_BASE		0x6816
#define GUEST_IDTR_BASE		0x6818
#define GUEST_DR7		0x681a
#define GUEST_RSP		0x681c
#define GUEST_RIP		0x681e
#define GUEST_RFLAGS		0x6820
#define HOST_CR0		0x6c00
#define HOST_CR3		0x6c02
#define HOST_CR4		0x6c04
#define HOST_TR_BASE		0x6c0a
#define HOST_GDTR_BASE		0x6c0c
#define HOST_IDTR_BASE		0x6c0e
#define HOST_RIP		0x6c16

/* All that L1 leaves zero; a VMCS's fields are undefined until they are written. */
#define ZERO_FIELDS							\
	0x2010, 0x2802,			/* TSC offset, debug control */	\
	0x4004, 0x4006, 0x4008, 0x400a,	/* exceptions, page faults, CR3 targets */ \
	0x400e, 0x4010, 0x4014,		/* MSR lists */			\
	0x4016,				/* event injection */		\
	0x4826, 0x482a,			/* activity, SYSENTER_CS */	\
	0x4c00,				/* host SYSENTER_CS */		\
	0x6000, 0x6002,			/* CR0 and CR4 masks */		\
	0x6806, 0x6808, 0x680a, 0x680c,	/* guest segments' bases */	\
	0x680e, 0x6810, 0x6812, 0x6814,					\
	0x6822, 0x6824, 0x6826,		/* pending debug, SYSENTER */	\
	0x0c08, 0x0c0a, 0x6c06, 0x6c08,	/* host FS, GS */		\
	0x6c10, 0x6c12			/* host SYSENTER */

#define CPU_MSR_BITMAP		(1u << 28)
#define CPU_SECONDARY		(1u << 31)
#define CPU2_EPT		(1u << 1)
#define EXIT_HOST_64BIT		(1u << 9)
#define ENTRY_GUEST_64BIT	(1u << 9)

#define MSR_VMX_BASIC		0x480
#define MSR_VMX_PIN		0x481
#define MSR_VMX_CPU		0x482
#define MSR_VMX_EXIT		0x483
#define MSR_VMX_ENTRY		0x484
#define MSR_VMX_CR0_FIXED0	0x486
#define MSR_VMX_CR4_FIXED0	0x488
#define MSR_VMX_CPU2		0x48b
#define MSR_VMX_EPT_CAPABILITY	0x48c
#define  EPT_WALK_4		(1ull << 6)
#define  EPT_WRITE_BACK		(1ull << 14)
#define  EPT_2MB		(1ull << 16)
#define VMX_TRUE_CONTROLS	(1ull << 55)	/* of MSR_VMX_BASIC: there are MSRs without default1 */
#define VMX_TRUE_OFFSET		0xc

#define EXIT_REASON_CPUID	10
#define EXIT_REASON_VMCALL	18
#define EXIT_REASON_EPT_FAULT	48

#endif
