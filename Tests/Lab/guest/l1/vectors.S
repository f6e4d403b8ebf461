/* SPDX-License-Identifier: Apache-2.0 */
/* One stub a vector, the same for L1 and L2; each ends in interrupt(vector, error, rip). */

	.section .text
	.code64
	.balign	16
	.globl stubs
stubs:
	vector = 0
	.rept	256
	.balign	16
	/* The exceptions with an error code: DF, TS, NP, SS, GP, PF, AC, CP, VC, SX. */
	with_error = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	.if	!(with_error || vector == 29 || vector == 30)
	pushq	$0
	.endif
	pushq	$vector
	jmp	common
	vector = vector + 1
	.endr

common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	cld
	movq	72(%rsp), %rdi
	movq	80(%rsp), %rsi
	movq	88(%rsp), %rdx
	call	interrupt
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq
