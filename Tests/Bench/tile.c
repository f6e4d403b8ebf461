// SPDX-License-Identifier: Apache-2.0
// Makes a large version 6 trace.dat of a small one: its pages again and again, their times shifted.
//   tile IN OUT MEGABYTES CPUS [IRRELEVANT_ID KEEP]
// With several CPUs each gets the same pages, a microsecond later than the one before and with thread ids of its own: as
// many VMs that run at once. With an id, the records of all pages but every KEEP-th become records of that event.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, HEADER = 16, TID_STEP = 100000, CPU_COUNT = 8 };

static void die(const char *what) {
    fprintf(stderr, "tile: %s\n", what);
    exit(1);
}

static const char *find(const char *from, const char *end, const char *what, size_t size) {
    const char *found = memmem(from, (size_t)(end - from), what, size);
    if (!found) die("not a version 6 trace.dat with flyrecord data");
    return found;
}

// Calls for each record of a page that has an event; absolute stamps would not be shifted, and aren't expected.
static void rewrite(unsigned char *page, uint32_t tid_offset, int id) {
    uint64_t commit;
    memcpy(&commit, page + 8, 8);
    size_t end = HEADER + (commit & 0xfffff), at = HEADER;
    while (at + 4 <= end) {
        uint32_t word, type, size;
        memcpy(&word, page + at, 4);
        type = word & 31;
        if (type == 29 && word >> 5 == 0) return;
        if (type == 31) die("an absolute time stamp");
        if (type == 30) {
            at += 8;
            continue;
        }
        size_t data = at + 4;
        if (type == 0 || type == 29) {
            memcpy(&size, page + data, 4);
            if (type == 29) {
                at = data + size;
                continue;
            }
            data += 4;
            size -= 4;
        } else {
            size = type * 4;
        }
        if (data + size > end) die("a record that passes its page");
        uint32_t tid;
        memcpy(&tid, page + data + 4, 4);
        if (tid) tid += tid_offset;
        memcpy(page + data + 4, &tid, 4);
        if (id >= 0) memcpy(page + data, &(uint16_t){(uint16_t)id}, 2);
        at = data + ((size + 3) & ~3u);
    }
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 7) die("IN OUT MEGABYTES CPUS [IRRELEVANT_ID KEEP]");
    int input = open(argv[1], O_RDONLY);
    struct stat status;
    if (input < 0 || fstat(input, &status)) die(argv[1]);
    char *file = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, input, 0);
    if (file == MAP_FAILED) die(argv[1]);
    const char *end = file + status.st_size;
    uint32_t cpus = (uint32_t)atoi(argv[4]);
    uint64_t wanted = strtoull(argv[3], NULL, 10) << 20;
    int id = argc == 7 ? atoi(argv[5]) : -1;
    uint64_t keep = argc == 7 ? strtoull(argv[6], NULL, 10) : 1;
    if (!cpus || !keep) die("at least one CPU, and one page kept");

    const char *options = find(file, end, "options  ", 10);
    const char *table = find(options, end, "flyrecord", 10) + 10;
    // The number of CPUs is reported twice: trace-cmd convert goes by the option.
    for (char *option = file + (options - file) + 10; option + 10 < table;) {
        uint16_t kind;
        uint32_t length;
        memcpy(&kind, option, 2);
        memcpy(&length, option + 2, 4);
        if (!kind) break;
        if (kind == CPU_COUNT && length == 4) memcpy(option + 6, &cpus, 4);
        option += 6 + length;
    }
    uint64_t offset, size, first, last;
    memcpy(&offset, table, 8);
    memcpy(&size, table + 8, 8);
    uint64_t pages = size / PAGE;
    if (!pages || offset + pages * PAGE > (uint64_t)status.st_size) die("no pages");
    memcpy(&first, file + offset, 8);
    memcpy(&last, file + offset + (pages - 1) * PAGE, 8);
    uint64_t lap = last - first + 1000000000, each = wanted / PAGE / cpus;

    FILE *output = fopen(argv[2], "w");
    if (!output) die(argv[2]);
    fwrite(file, 1, (size_t)(options - file) - 4, output);
    fwrite(&cpus, 4, 1, output);
    fwrite(options, 1, (size_t)(table - options), output);
    uint64_t start = ((uint64_t)(table - file) + 16 * cpus + PAGE - 1) / PAGE * PAGE;
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        uint64_t entry[2] = {start + cpu * each * PAGE, each * PAGE};
        fwrite(entry, 1, sizeof entry, output);
    }
    if (fseek(output, (long)start, SEEK_SET)) die(argv[2]);
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        for (uint64_t index = 0; index < each; index++) {
            unsigned char page[PAGE];
            uint64_t time;
            memcpy(page, file + offset + index % pages * PAGE, PAGE);
            memcpy(&time, page, 8);
            time += index / pages * lap + cpu * 1000;
            memcpy(page, &time, 8);
            int irrelevant = index % keep ? id : -1;
            if (cpu || irrelevant >= 0) rewrite(page, cpu * TID_STEP, irrelevant);
            if (fwrite(page, 1, PAGE, output) != PAGE) die(argv[2]);
        }
    }
    return fclose(output) ? 1 : 0;
}
