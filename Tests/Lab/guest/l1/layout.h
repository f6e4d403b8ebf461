/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of shared.h, l1.h and cpu.h that assembly needs; main.c asserts that they agree. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define PAGE_TABLES		0x1000
#define ENTRY_OFFSET		0x100
#define STACK_SHIFT		14
#define STACK_BYTES		0x4000

#ifdef __ASSEMBLER__
#define CODE_SELECTOR		0x08
#define DATA_SELECTOR		0x10
#define CODE32_SELECTOR		0x28
#endif

#endif
