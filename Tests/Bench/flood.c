// SPDX-License-Identifier: Apache-2.0
// flood OBJECT rate PER_SECOND SECONDS | flood OBJECT proof
//
// To be run by `apictrace live`, whose ring it fills with records as its probes would send. With a rate it prints the
// records sent a second, what the ring had no room for, and the share of a core that apictrace took meanwhile. `proof`
// turns APICv off and on until inhibit-flapping is proven and prints the time then, in microseconds since the epoch.
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHANGES_NEEDED = 50, RINGBUF = 27, TICK = 1000000 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long long now(clockid_t clock) {
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// The ring among the maps that the parent has open.
static int ring_of_parent(void) {
    char path[64], line[128];
    struct dirent *entry;
    int found = -1;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo", getppid());
    if (!(folder = opendir(path)))
        fail(path);
    while (found < 0 && (entry = readdir(folder))) {
        unsigned type = 0, id = 0;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", getppid(), entry->d_name);
        if (!(file = fopen(path, "r")))
            continue;
        while (fgets(line, sizeof(line), file)) {
            sscanf(line, "map_type: %u", &type);
            sscanf(line, "map_id: %u", &id);
        }
        fclose(file);
        if (type == RINGBUF)
            found = bpf_map_get_fd_by_id(id);
    }
    closedir(folder);
    if (found < 0)
        fail("the parent's ring");
    return found;
}

// Nanoseconds that the parent's one thread has run.
static long long parent_ran(void) {
    char path[64];
    long long ran = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/schedstat", getppid());
    if (!(file = fopen(path, "r")) || fscanf(file, "%lld", &ran) != 1)
        fail(path);
    fclose(file);
    return ran;
}

static void run(struct bpf_object *object, const char *name, unsigned long long argument) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &argument, .ctx_size_in = sizeof(argument));
    struct bpf_program *program = bpf_object__find_program_by_name(object, name);

    if (!program || bpf_prog_test_run_opts(bpf_program__fd(program), &options))
        fail(name);
}

int main(int count, char **arguments) {
    struct bpf_object *object = count > 2 ? bpf_object__open_file(arguments[1], NULL) : NULL;
    unsigned long long dropped = 0;
    struct bpf_map *map;
    int zero = 0;

    if (!object)
        fail("usage: flood OBJECT rate PER_SECOND SECONDS | flood OBJECT proof");
    if (!(map = bpf_object__find_map_by_name(object, "ring")) || bpf_map__reuse_fd(map, ring_of_parent()) ||
        bpf_object__load(object))
        fail(arguments[1]);
    run(object, "state", 0);
    if (!strcmp(arguments[2], "proof")) {
        for (int change = 1; change <= CHANGES_NEEDED; change++)
            run(object, "inhibit", change % 2 ? 2 : 0);
        printf("%lld\n", now(CLOCK_REALTIME) / 1000);
        fflush(stdout);
        sleep(1);
        return 0;
    }
    if (count < 5)
        return 64;

    double rate = atof(arguments[3]);
    long long start = now(CLOCK_MONOTONIC), ran = parent_ran(), end = start + (long long)(atof(arguments[4]) * 1e9);
    unsigned long long sent = 0;
    long long time;

    while ((time = now(CLOCK_MONOTONIC)) < end) {
        unsigned long long due = (unsigned long long)((double)(time - start) * rate / 1e9);

        while (sent < due) {
            unsigned long long batch = due - sent > 1024 ? 1024 : due - sent;

            run(object, "interrupts", batch);
            sent += batch;
        }
        nanosleep(&(struct timespec){.tv_nsec = TICK}, NULL);
    }
    ran = parent_ran() - ran;
    if ((map = bpf_object__find_map_by_name(object, ".bss")))
        bpf_map_lookup_elem(bpf_map__fd(map), &zero, &dropped);
    printf("%.0f %llu %.2f\n", (double)sent * 1e9 / (double)(time - start), dropped,
           100.0 * (double)ran / (double)(time - start));
    return 0;
}
