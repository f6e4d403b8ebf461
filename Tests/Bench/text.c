// SPDX-License-Identifier: Apache-2.0
// Repeats a text of events as often as it takes for so many megabytes, each lap with later times.
//   text IN OUT MEGABYTES
// A line's time is its first number with a point that a colon follows, as trace-cmd report and perf script print it.
#include <ctype.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECOND = 1000000 };

static void die(const char *what) {
    fprintf(stderr, "text: %s\n", what);
    exit(1);
}

// Where the time is; *length is 0 for a line without one.
static const char *time_of(const char *line, const char *end, size_t *length, uint64_t *microseconds) {
    for (const char *dot = line; (dot = memchr(dot, '.', (size_t)(end - dot))); dot++) {
        const char *from = dot, *to = dot + 1;
        while (from > line && isdigit((unsigned char)from[-1])) from--;
        while (to < end && isdigit((unsigned char)*to)) to++;
        if (from == dot || to - dot != 7 || to == end || *to != ':') continue;
        *length = (size_t)(to - from);
        *microseconds = strtoull(from, NULL, 10) * SECOND + strtoull(dot + 1, NULL, 10);
        return from;
    }
    *length = 0;
    return line;
}

int main(int argc, char **argv) {
    if (argc != 4) die("IN OUT MEGABYTES");
    int input = open(argv[1], O_RDONLY);
    struct stat status;
    if (input < 0 || fstat(input, &status) || status.st_size == 0) die(argv[1]);
    const char *text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, input, 0);
    FILE *output = fopen(argv[2], "w");
    if (text == MAP_FAILED || !output) die(argv[2]);
    const char *end = text + status.st_size;

    uint64_t first = 0, last = 0, time;
    size_t length;
    for (const char *line = text, *stop; line < end; line = stop + 1) {
        if (!(stop = memchr(line, '\n', (size_t)(end - line)))) break;
        time_of(line, stop, &length, &time);
        if (!length) continue;
        if (!first) first = time;
        last = time;
    }
    if (!first) die("no line has a time");
    uint64_t wanted = strtoull(argv[3], NULL, 10) << 20, written = 0;
    for (uint64_t shift = 0; written < wanted; shift += last - first + 1000)
        for (const char *line = text, *stop; line < end && written < wanted; line = stop + 1) {
            if (!(stop = memchr(line, '\n', (size_t)(end - line)))) break;
            const char *place = time_of(line, stop, &length, &time);
            if (length) {
                fwrite(line, 1, (size_t)(place - line), output);
                time += shift;
                written += (uint64_t)fprintf(output, "%*lu.%06lu", (int)length - 7, time / SECOND, time % SECOND);
                written += (uint64_t)(place - line);
                line = place + length;
            }
            fwrite(line, 1, (size_t)(stop + 1 - line), output);
            written += (uint64_t)(stop + 1 - line);
        }
    return fclose(output) ? 1 : 0;
}
