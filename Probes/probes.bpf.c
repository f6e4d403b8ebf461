// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The object that the tool loads. A program's name is its tracepoint's; where prototypes differ between
 * kernels, `__N` tells for how many arguments the variant is.
 */
#include "record.h"
#include "apic.h"

char program_license[] SEC("license") = "Dual BSD/GPL";
