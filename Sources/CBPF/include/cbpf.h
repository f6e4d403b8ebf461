// SPDX-License-Identifier: Apache-2.0
// libbpf as Swift sees it, the probes' records, and the system calls that Glibc's module lacks.
#pragma once
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "../../../Probes/event.h"

/// Takes libbpf's messages, each a finished line or several; NULL drops them, which is how a program starts.
typedef void (*cbpf_log_handler)(void *context, const char *text);
void cbpf_set_log(cbpf_log_handler handler, void *context);

/// The ring's positions and record lengths are shared with the kernel, which pairs these with its own
/// smp_store_release and smp_load_acquire (kernel/bpf/ringbuf.c).
static inline uint64_t cbpf_load_acquire_64(const void *address) {
    return __atomic_load_n((const uint64_t *)address, __ATOMIC_ACQUIRE);
}

static inline uint32_t cbpf_load_acquire_32(const void *address) {
    return __atomic_load_n((const uint32_t *)address, __ATOMIC_ACQUIRE);
}

static inline void cbpf_store_release_64(void *address, uint64_t value) {
    __atomic_store_n((uint64_t *)address, value, __ATOMIC_RELEASE);
}

/// A counter that the probes add to meanwhile.
static inline uint64_t cbpf_load_relaxed_64(const void *address) {
    return __atomic_load_n((const uint64_t *)address, __ATOMIC_RELAXED);
}
