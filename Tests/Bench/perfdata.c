// SPDX-License-Identifier: Apache-2.0
// Makes a perf.data of a version 6 trace.dat, as `perf record -a` of the same events writes one.
//   perfdata IN OUT [zstd]
// Each event is a sample with IDENTIFIER, IP, TID, TIME, CPU, PERIOD and RAW. CPUs take turns of half a buffer, and a round ends
// when each had its own. All threads are one process's.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { PAGE = 4096, HEADER = 16, ATTRIBUTES = 4096, ATTRIBUTE_SIZE = 144, TURN = 256 << 10, HEAD = 104 };
enum { COMPRESSED = 81, LARGEST = 65536 - 64 };

struct attribute {
    uint32_t type, size;
    uint64_t config, period, sample_type, read_format, flags, rest[10];
    uint64_t ids[2];
};
_Static_assert(sizeof(struct attribute) == ATTRIBUTE_SIZE, "an attribute and where its ids lie");

struct cpu {
    const char *page, *end;
    uint64_t time;
    size_t at, limit;
};

struct sample {
    uint32_t type;
    uint16_t misc, size;
    uint64_t id, ip;
    uint32_t pid, tid;
    uint64_t time;
    uint32_t cpu, reserved;
    uint64_t period;
    uint32_t raw_size;
} __attribute__((packed));

static FILE *output;
static ZSTD_CCtx *context;
static uint64_t written;
static char packed[LARGEST];

static void die(const char *what) {
    fprintf(stderr, "perfdata: %s\n", what);
    exit(1);
}

static void put(const void *bytes, size_t size) {
    if (fwrite(bytes, 1, size, output) != size) die("can't write");
    written += size;
}

// One zstd stream over all records, cut into records of its own.
static void pack(const void *bytes, size_t size, ZSTD_EndDirective end) {
    ZSTD_inBuffer in = {bytes, size, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {packed, sizeof packed, 0};
        left = ZSTD_compressStream2(context, &out, &in, end);
        if (ZSTD_isError(left)) die(ZSTD_getErrorName(left));
        if (out.pos) {
            struct { uint32_t type; uint16_t misc, size; } header = {COMPRESSED, 0, (uint16_t)(8 + out.pos)};
            put(&header, sizeof header);
            put(packed, out.pos);
        }
    } while (in.pos < in.size || (end != ZSTD_e_continue && left));
}

// The next event of a CPU; NULL at its end. Absolute stamps are not expected.
static const char *next(struct cpu *cpu, size_t *size) {
    for (;;) {
        if (cpu->at + 4 > cpu->limit) {
            if (cpu->limit) cpu->page += PAGE;
            if (cpu->page + PAGE > cpu->end) return NULL;
            uint64_t commit;
            memcpy(&cpu->time, cpu->page, 8);
            memcpy(&commit, cpu->page + 8, 8);
            cpu->at = HEADER;
            cpu->limit = HEADER + (commit & 0xfffff);
            continue;
        }
        uint32_t word, type, more;
        memcpy(&word, cpu->page + cpu->at, 4);
        memcpy(&more, cpu->page + cpu->at + 4, 4);
        type = word & 31;
        if (type == 29 && word >> 5 == 0) {
            cpu->at = cpu->limit;
        } else if (type == 29) {
            cpu->at += 4 + more;
        } else if (type == 30) {
            cpu->time += ((uint64_t)more << 27) + (word >> 5);
            cpu->at += 8;
        } else if (type == 31) {
            die("an absolute time stamp");
        } else {
            const char *data = cpu->page + cpu->at + (type ? 4 : 8);
            *size = type ? type * 4 : ((more - 4 + 3) & ~3u);
            cpu->time += word >> 5;
            cpu->at = (size_t)(data - cpu->page) + *size;
            return data;
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 3) die("IN OUT [zstd]");
    int input = open(argv[1], O_RDONLY);
    struct stat status;
    if (input < 0 || fstat(input, &status)) die(argv[1]);
    const char *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, input, 0);
    if (file == MAP_FAILED) die(argv[1]);
    const char *end = file + status.st_size;
    const char *options = memmem(file, (size_t)status.st_size, "options  ", 10);
    const char *table = options ? memmem(options, (size_t)(end - options), "flyrecord", 10) : NULL;
    if (!table) die("not a version 6 trace.dat with flyrecord data");
    table += 10;
    uint32_t count;
    memcpy(&count, options - 4, 4);
    struct cpu *cpus = calloc(count, sizeof *cpus);
    for (uint32_t cpu = 0; cpu < count; cpu++) {
        uint64_t place[2];
        memcpy(place, table + 16 * cpu, sizeof place);
        cpus[cpu].page = file + place[0];
        cpus[cpu].end = cpus[cpu].page + place[1];
    }

    // Every id that a format has and an event uses gets an attribute, whose only id is the same number.
    static unsigned char used[65536];
    struct cpu *copies = malloc(count * sizeof *cpus);
    memcpy(copies, cpus, count * sizeof *cpus);
    size_t size;
    for (uint32_t cpu = 0; cpu < count; cpu++)
        for (const char *data; (data = next(&copies[cpu], &size));) {
            uint16_t id;
            memcpy(&id, data, 2);
            used[id] = 1;
        }
    output = fopen(argv[2], "w");
    if (!output) die(argv[2]);
    if (argc > 3) {
        context = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
    }
    uint64_t attributes = 0, ids = HEAD;
    char head[HEAD] = "PERFILE2";
    put(head, sizeof head);
    for (uint32_t id = 0; id < sizeof used; id++)
        if (used[id]) put(&(uint64_t){id}, 8), attributes++;
    uint64_t place = written;
    for (uint32_t id = 0, index = 0; id < sizeof used; id++) {
        if (!used[id]) continue;
        struct attribute attribute = {2, ATTRIBUTE_SIZE - 16, id, 1, 0x10587, 0x14, 0x140003, {0}, {ids + 8 * index++, 8}};
        put(&attribute, sizeof attribute);
    }
    uint64_t start = written;
    for (int going = 1; going;) {
        going = 0;
        for (uint32_t cpu = 0; cpu < count; cpu++) {
            const char *data;
            for (size_t turn = 0; turn < TURN && (data = next(&cpus[cpu], &size)); turn += size + sizeof(struct sample)) {
                struct sample sample = {9, 1, 0, 0, 0xffffffff81000000, 0, 0, cpus[cpu].time, cpu, 0, 1, 0};
                uint16_t id;
                memcpy(&id, data, 2);
                memcpy(&sample.tid, data + 4, 4);
                sample.id = id;
                sample.pid = sample.tid ? sample.tid / 100000 * 100000 + 1 : 0;
                sample.raw_size = (uint32_t)(((size + 4 + 7) & ~7ul) - 4);
                sample.size = (uint16_t)(sizeof sample + sample.raw_size);
                char bytes[PAGE + 256] = {0};
                memcpy(bytes, &sample, sizeof sample);
                memcpy(bytes + sizeof sample, data, size);
                context ? pack(bytes, sample.size, ZSTD_e_continue) : put(bytes, sample.size);
                going = 1;
            }
        }
        if (context) pack(NULL, 0, ZSTD_e_flush);
        put(&(uint64_t){68 | 8ull << 48}, 8);
    }
    // The formats: what a trace.dat has in front of its CPUs' number, under the version that perf writes.
    uint64_t data_end = written, features[][2] = {{0, 0}, {0, 0}, {0, 0}};
    put(features, sizeof features);
    features[0][0] = written;
    put(file, 10);
    put("0.6", 4);
    put(file + 12, (size_t)(options - 4 - file) - 12);
    features[0][1] = written - features[0][0];
    const char *texts[] = {"6.1.0-bench", "x86_64"};
    for (int text = 0; text < 2; text++) {
        char bytes[64] = {0};
        strcpy(bytes, texts[text]);
        features[1 + text][0] = written;
        put(&(uint32_t){sizeof bytes}, 4);
        put(bytes, sizeof bytes);
        features[1 + text][1] = written - features[1 + text][0];
    }
    if (fseek(output, (long)data_end, SEEK_SET)) die(argv[2]);
    fwrite(features, 1, sizeof features, output);
    uint64_t header[13] = {0};
    memcpy(header, "PERFILE2", 8);
    header[1] = HEAD;
    header[2] = ATTRIBUTE_SIZE;
    header[3] = place;
    header[4] = attributes * ATTRIBUTE_SIZE;
    header[5] = start;
    header[6] = data_end - start;
    header[9] = 1 << 1 | 1 << 4 | 1 << 6;
    if (fseek(output, 0, SEEK_SET)) die(argv[2]);
    fwrite(header, 1, sizeof header, output);
    return fclose(output) ? 1 : 0;
}
