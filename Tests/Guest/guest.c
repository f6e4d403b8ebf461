// SPDX-License-Identifier: Apache-2.0
// apictrace-guest IPIS TIMERS [park | VMS]: a guest of one vCPU that uses its local APIC a known number of times, then stops.
//
// It sends itself IPIS interrupts and takes TIMERS timer interrupts, ends each, reads a register once an interrupt and
// moves its APIC at the end, which inhibits APICv. Prints what it did, a `name count` a line; exit status 0 when the
// handlers ran as often as expected, 77 where /dev/kvm can't be used. With `park` it sends itself another interrupt instead and
// sleeps for good with interrupts off. With VMS one thread runs so many of them after each other: the first with IPIS interrupts,
// the second with twice as many, and so on; what it prints is of them all.
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { VECTORS = 0, CODE = 0x1000, RESULTS = 0x4000, STACK = 0x5000, MEMORY = 0x10000 };

// Real mode with 4 GB segments: a hypervisor without hardware help emulates that whole, IRET included.
// edi points at `struct results`.
extern const char guest_start[], guest_ipi[], guest_timer[], guest_end[];
__asm__(
    ".pushsection .rodata\n.code16\n"
    "guest_start:\n"
    "    movl $0xfee00000, %ebx\n"
    "    movl $0x1ff, 0xf0(%ebx)\n"          // SPIV: enabled
    "1:  cmpl $0, 0(%edi)\n"
    "    je 2f\n"
    "    decl 0(%edi)\n"
    "    movl $0, 0x310(%ebx)\n"             // ICR2
    "    movl $0x00044041, 0x300(%ebx)\n"    // ICR: self, fixed, vector 0x41
    "    sti\n"
    "    hlt\n"
    "    cli\n"
    "    jmp 1b\n"
    "2:  movl $0xb, 0x3e0(%ebx)\n"           // TDCR: divide by 1
    "    movl $0x51, 0x320(%ebx)\n"          // LVTT: one shot, vector 0x51
    "3:  cmpl $0, 4(%edi)\n"
    "    je 4f\n"
    "    decl 4(%edi)\n"
    "    movl $2000, 0x380(%ebx)\n"          // TMICT
    "    sti\n"
    "    hlt\n"
    "    cli\n"
    "    jmp 3b\n"
    "4:  cmpl $0, 16(%edi)\n"
    "    je 5f\n"
    "    movl $0, 0x310(%ebx)\n"
    "    movl $0x00044041, 0x300(%ebx)\n"
    "    hlt\n"
    "5:  movl $0x1b, %ecx\n"                 // IA32_APIC_BASE
    "    rdmsr\n"
    "    addl $0x1000, %eax\n"
    "    wrmsr\n"
    "    outb %al, $0xf4\n"
    "guest_ipi:\n"
    "    incl 8(%edi)\n"
    "    movl 0x80(%ebx), %eax\n"            // TPR
    "    movl $0, 0xb0(%ebx)\n"              // EOI
    "    iretw\n"
    "guest_timer:\n"
    "    incl 12(%edi)\n"
    "    movl 0x80(%ebx), %eax\n"
    "    movl $0, 0xb0(%ebx)\n"
    "    iretw\n"
    "guest_end:\n"
    ".code64\n.popsection\n");

struct results {
    uint32_t ipis_left, timers_left, ipis_taken, timers_taken, parks;
};

static int check(int value, const char *call) {
    if (value < 0) {
        perror(call);
        exit(77);
    }
    return value;
}

static void set_vector(uint8_t *memory, int vector, long offset) {
    uint16_t entry[2] = {(uint16_t)(CODE + offset), 0};
    memcpy(memory + VECTORS + vector * 4, entry, sizeof(entry));
}

static void set_registers(int vcpu) {
    struct kvm_sregs special;
    struct kvm_regs registers = {.rip = CODE, .rdi = RESULTS, .rsp = STACK, .rflags = 2};
    struct kvm_segment data = {.limit = 0xffffffff, .type = 3, .present = 1, .s = 1, .g = 1};

    check(ioctl(vcpu, KVM_GET_SREGS, &special), "KVM_GET_SREGS");
    special.cs.base = 0;
    special.cs.selector = 0;
    special.ds = special.es = special.fs = special.gs = special.ss = data;
    check(ioctl(vcpu, KVM_SET_SREGS, &special), "KVM_SET_SREGS");
    check(ioctl(vcpu, KVM_SET_REGS, &registers), "KVM_SET_REGS");
}

static struct results run_guest(int kvm, struct results work) {
    int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    uint8_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {.memory_size = MEMORY, .userspace_addr = (uintptr_t)memory};
    struct results *results = (struct results *)(memory + RESULTS);
    size_t size;
    int vcpu;
    struct kvm_run *run;

    if (memory == MAP_FAILED)
        check(-1, "mmap");
    check(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
    check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
    vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    size = (size_t)check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
    run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED)
        check(-1, "mmap of the vCPU");

    memcpy(memory + CODE, guest_start, (size_t)(guest_end - guest_start));
    set_vector(memory, 0x41, guest_ipi - guest_start);
    set_vector(memory, 0x51, guest_timer - guest_start);
    *results = work;
    set_registers(vcpu);

    check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
    if (run->exit_reason != KVM_EXIT_IO) {
        fprintf(stderr, "guest stopped with exit reason %u\n", run->exit_reason);
        exit(1);
    }
    work = *results;
    munmap(run, size);
    munmap(memory, MEMORY);
    close(vcpu);
    close(vm);
    return work;
}

int main(int count, char **arguments) {
    unsigned ipis = count > 1 ? (unsigned)atoi(arguments[1]) : 100;
    unsigned timers = count > 2 ? (unsigned)atoi(arguments[2]) : 3;
    int vms = count > 3 ? atoi(arguments[3]) : 1, wanted = 0;
    int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    struct results work, all = {0};

    for (unsigned vm = 1; vm == 1 || (int)vm <= vms; vm++) {
        work = (struct results){.ipis_left = vm * ipis, .timers_left = timers, .parks = vms == 0};
        work = run_guest(kvm, work);
        wanted += vm * ipis + timers;
        all.ipis_taken += work.ipis_taken;
        all.timers_taken += work.timers_taken;
    }
    printf("ipis %u\ntimers %u\n", all.ipis_taken, all.timers_taken);
    return (int)(all.ipis_taken + all.timers_taken) == wanted ? 0 : 1;
}
