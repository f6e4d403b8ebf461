// SPDX-License-Identifier: Apache-2.0
// Runs a command several times, its output thrown away, and prints the medians of user+sys and of wall time in
// milliseconds, and the highest resident set in KiB.
//   measure TIMES COMMAND...
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ascending(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

static double milliseconds(struct timeval time) { return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3; }

int main(int argc, char **argv) {
    int times = argc > 2 ? atoi(argv[1]) : 0;
    if (times < 1 || times > 99) return 64;
    double cpu[99], wall[99];
    long peak = 0;
    for (int run = 0; run < times; run++) {
        struct timespec before, after;
        struct rusage usage;
        int status;
        clock_gettime(CLOCK_MONOTONIC, &before);
        pid_t child = fork();
        if (child < 0) return 1;
        if (child == 0) {
            dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
            execvp(argv[2], argv + 2);
            _exit(127);
        }
        if (wait4(child, &status, 0, &usage) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 2) {
            fprintf(stderr, "measure: %s failed\n", argv[2]);
            return 1;
        }
        clock_gettime(CLOCK_MONOTONIC, &after);
        cpu[run] = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
        wall[run] = (double)(after.tv_sec - before.tv_sec) * 1e3 + (double)(after.tv_nsec - before.tv_nsec) / 1e6;
        if (usage.ru_maxrss > peak) peak = usage.ru_maxrss;
    }
    qsort(cpu, (size_t)times, sizeof *cpu, ascending);
    qsort(wall, (size_t)times, sizeof *wall, ascending);
    printf("%.1f %.1f %ld\n", cpu[times / 2], wall[times / 2], peak);
    return 0;
}
