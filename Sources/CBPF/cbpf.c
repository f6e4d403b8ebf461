// SPDX-License-Identifier: Apache-2.0
#include "cbpf.h"

#include <stdio.h>
#include <stdlib.h>

static cbpf_log_handler log_handler;
static void *log_context;

static int print(enum libbpf_print_level level, const char *format, va_list arguments) {
    char line[4096];
    va_list copy;
    int length;

    if (level == LIBBPF_DEBUG || !log_handler)
        return 0;
    va_copy(copy, arguments);
    length = vsnprintf(line, sizeof(line), format, copy);
    va_end(copy);
    if (length < 0)
        return 0;
    if ((size_t)length < sizeof(line)) {
        log_handler(log_context, line);
        return length;
    }
    // A verifier's log comes in one piece and is long.
    char *text = malloc((size_t)length + 1);
    if (text) {
        vsnprintf(text, (size_t)length + 1, format, arguments);
        log_handler(log_context, text);
        free(text);
    }
    return length;
}

void cbpf_set_log(cbpf_log_handler handler, void *context) {
    log_handler = handler;
    log_context = context;
    libbpf_set_print(print);
}
