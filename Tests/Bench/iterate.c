// SPDX-License-Identifier: Apache-2.0
// The least that a tool on libtracecmd does: all events of a file in the order of time, counted.
#include <stdio.h>
#include <trace-cmd.h>

static int count(struct tracecmd_input *input, struct tep_record *record, int cpu, void *data) {
    (void)input, (void)record, (void)cpu;
    ++*(unsigned long *)data;
    return 0;
}

int main(int argc, char **argv) {
    struct tracecmd_input *input = argc == 2 ? tracecmd_open(argv[1], 0) : NULL;
    unsigned long events = 0;
    if (!input) return 3;
    tracecmd_iterate_events(input, NULL, 0, count, &events);
    tracecmd_close(input);
    printf("%lu\n", events);
    return 0;
}
