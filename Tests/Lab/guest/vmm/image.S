/* SPDX-License-Identifier: Apache-2.0 */
/* The L1 image inside the VMM. */
	.section .rodata
	.globl	l1_image, l1_image_end
l1_image:
	.incbin	"l1.bin"
l1_image_end:
	.section .note.GNU-stack, "", @progbits
