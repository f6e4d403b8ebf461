// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The object that the tool loads: one program a tracepoint, and one that is run on demand. A program's section ends in its
 * tracepoint's name.
 * Where prototypes differ between kernels, `__N` at the end of a program's name says for how many arguments the
 * variant is; the loader picks it by the running kernel's BTF.
 */
#include "apic.h"
#include "apicv.h"
#include "execution.h"
#include "memory.h"
#include "nested.h"
#include "sleeper.h"

char program_license[] SEC("license") = "Dual BSD/GPL";
