/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of a vCPU: in real mode after a SIPI, in long mode when the VMM starts it. */
#include "layout.h"

	.section .text.start, "ax"
	.code16
	.globl sipi_entry
sipi_entry:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32_SELECTOR, $protected_mode

	.code32
protected_mode:
	movw	$DATA_SELECTOR, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	%cr4, %eax
	orl	$0x20, %eax			/* PAE */
	movl	%eax, %cr4
	movl	$PAGE_TABLES, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$0x9fffffff, %eax		/* INIT leaves CD and NW set */
	orl	$0x80000020, %eax		/* PG, NE */
	movl	%eax, %cr0
	movl	$1, %edi			/* the only AP */
	ljmp	$CODE_SELECTOR, $entry64

	.org	ENTRY_OFFSET
	.code64
	.globl entry64
entry64:
	cli
	movl	%edi, %edi
	lgdt	gdt_pointer
	movw	$DATA_SELECTOR, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	xorl	%eax, %eax
	movw	%ax, %fs
	movw	%ax, %gs
	/* Each stack begins with the vCPU's number: see this_cpu(). */
	movq	%rdi, %rax
	shlq	$STACK_SHIFT, %rax
	leaq	l1_stacks(%rax), %rcx
	movq	%rdi, (%rcx)
	leaq	l2_stacks(%rax), %rdx
	movq	%rdi, (%rdx)
	leaq	STACK_BYTES(%rcx), %rsp
	/* Reload CS: the VMM's descriptor is not in this GDT. */
	pushq	$CODE_SELECTOR
	pushq	$1f
	lretq
1:	call	l1_main
2:	hlt
	jmp	2b

	.section .data
	.balign	16
	.globl gdt
gdt:
	.quad	0
	.quad	0x00af9b000000ffff		/* 0x08: 64-bit code */
	.quad	0x00cf93000000ffff		/* 0x10: data */
	.quad	0, 0				/* 0x18: this vCPU's TSS, not loaded on SVM */
	.quad	0x00cf9b000000ffff		/* 0x28: 32-bit code, for the way up after a SIPI */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.section .bss
	.balign	STACK_BYTES
	.globl l1_stacks, l2_stacks
l1_stacks:
	.skip	2 * STACK_BYTES
l2_stacks:
	.skip	2 * STACK_BYTES
