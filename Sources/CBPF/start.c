// SPDX-License-Identifier: Apache-2.0
#include "cbpf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>

static int argument_count;
static char **argument_values;
static bool silenced_backtraces;

/*
 * Before Swift's runtime starts, where it is part of the file: no loader (AT_BASE) has started it before. At its start it looks
 * for a program that prints backtraces, beside this one's file: it aborts where /proc isn't mounted, and would run what
 * somebody has put there. It reads its settings from the environment alone.
 */
__attribute__((constructor(101))) static void start(int argc, char **argv) {
    argument_count = argc;
    argument_values = argv;
    if (!getauxval(AT_BASE) && !getenv("SWIFT_BACKTRACE"))
        silenced_backtraces = !setenv("SWIFT_BACKTRACE", "enable=no,swift-backtrace=/nonexistent", 1);
}

int cbpf_arguments(char ***values) {
    if (silenced_backtraces)
        unsetenv("SWIFT_BACKTRACE");
    silenced_backtraces = false;
    *values = argument_values;
    return argument_count;
}
