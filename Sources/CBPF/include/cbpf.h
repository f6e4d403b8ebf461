// SPDX-License-Identifier: Apache-2.0
// libbpf as Swift sees it, the probes' records, the system calls that Glibc's module lacks, and the program's start.
#pragma once
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../../../Probes/event.h"

/// Takes libbpf's messages, each a finished line or several; NULL drops them, which is how a program starts.
typedef void (*cbpf_log_handler)(void *context, const char *text);
void cbpf_set_log(cbpf_log_handler handler, void *context);

/// How many arguments the program was called with, its name among them, and which. Swift would read them from /proc, and take
/// none where that isn't mounted. To be called once, at the start: it takes back what was set for Swift's runtime alone.
int cbpf_arguments(char ***values);

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

/// The calling thread's capabilities, a bit each (capabilities(7)); 0, or -1 with errno set.
static inline int cbpf_get_capabilities(uint64_t *effective, uint64_t *permitted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data))
        return -1;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    return 0;
}

/// None is handed on to a program that it starts.
static inline int cbpf_set_capabilities(uint64_t effective, uint64_t permitted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {(uint32_t)effective, (uint32_t)permitted, 0},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), 0},
    };

    return (int)syscall(SYS_capset, &header, data);
}

/// A file that lies in memory and has no name; -1 with errno set.
static inline int cbpf_memory_file(void) {
    return (int)syscall(SYS_memfd_create, "apictrace", 1u /* MFD_CLOEXEC */);
}

/// The user that the process may become again: the owner of a set-user-ID file, else who runs it.
static inline uint32_t cbpf_saved_user(void) {
    uint32_t real = 0, effective = 0, saved = 0;

    syscall(SYS_getresuid, &real, &effective, &saved);
    return saved;
}

/// No program that it starts can get the capability either; fails where the kernel has no such capability.
static inline int cbpf_drop_from_bounding_set(int capability) {
    return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static inline int cbpf_forbid_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
