/* SPDX-License-Identifier: Apache-2.0 */
/* Into L2 and back, with all general registers; struct registers in l1.h has this order. */

	.macro	save_own
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.macro	restore_own
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	.endm

	/* All but rax and rdi, which hold something else until the last moment. */
	.macro	load_l2
	movq	8(%rdi), %rbx
	movq	16(%rdi), %rcx
	movq	24(%rdi), %rdx
	movq	32(%rdi), %rsi
	movq	48(%rdi), %rbp
	movq	56(%rdi), %r8
	movq	64(%rdi), %r9
	movq	72(%rdi), %r10
	movq	80(%rdi), %r11
	movq	88(%rdi), %r12
	movq	96(%rdi), %r13
	movq	104(%rdi), %r14
	movq	112(%rdi), %r15
	.endm

	.macro	store_l2
	movq	%rbx, 8(%rdi)
	movq	%rcx, 16(%rdi)
	movq	%rdx, 24(%rdi)
	movq	%rsi, 32(%rdi)
	movq	%rbp, 48(%rdi)
	movq	%r8, 56(%rdi)
	movq	%r9, 64(%rdi)
	movq	%r10, 72(%rdi)
	movq	%r11, 80(%rdi)
	movq	%r12, 88(%rdi)
	movq	%r13, 96(%rdi)
	movq	%r14, 104(%rdi)
	movq	%r15, 112(%rdi)
	.endm

	.section .text
	.code64

	/* void svm_run(struct registers *l2, u64 vmcb): rax is in the VMCB. */
	.globl	svm_run
svm_run:
	save_own
	pushq	%rdi
	movq	%rsi, %rax
	load_l2
	movq	40(%rdi), %rdi
	vmrun	%rax
	pushq	%rdi
	movq	8(%rsp), %rdi
	store_l2
	popq	40(%rdi)
	addq	$8, %rsp
	restore_own
	ret

	/* bool vmx_run(struct registers *l2, bool launched): false when the entry failed. */
	.globl	vmx_run, vmx_exit
vmx_run:
	save_own
	pushq	%rdi
	movl	$0x6c14, %eax			/* HOST_RSP */
	vmwrite	%rsp, %rax
	testb	%sil, %sil			/* mov keeps the flags */
	load_l2
	movq	(%rdi), %rax
	movq	40(%rdi), %rdi
	jnz	1f
	vmlaunch
	jmp	2f
1:	vmresume
2:	addq	$8, %rsp
	xorl	%eax, %eax
	restore_own
	ret
vmx_exit:
	pushq	%rdi
	movq	8(%rsp), %rdi
	movq	%rax, (%rdi)
	store_l2
	popq	40(%rdi)
	addq	$8, %rsp
	movl	$1, %eax
	restore_own
	ret
