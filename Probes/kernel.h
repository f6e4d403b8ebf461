/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that the probes read, with only the fields that they read: CO-RE finds the
 * offsets in the running kernel's BTF. Sources: arch/x86/include/asm/kvm_host.h, include/linux/kvm_host.h,
 * arch/x86/kvm/lapic.h, arch/x86/kvm/vmx/vmx.h, 5.10 to 7.3.
 */
#ifndef APICTRACE_KERNEL_H
#define APICTRACE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;
typedef int8_t __s8;
typedef int16_t __s16;
typedef int32_t __s32;
typedef int64_t __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_PERCPU_ARRAY 6
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_ANY 0
#define BPF_NOEXIST 1
#define BPF_F_MMAPABLE (1U << 10)
#define BPF_RB_NO_WAKEUP 1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kvm_vcpu;

struct kvm_lapic {
	struct kvm_vcpu *vcpu;
	/* From 6.0 on. */
	bool apicv_active;
	void *regs;
};

struct kvm_vcpu_arch {
	struct kvm_lapic *apic;
	uint32_t hflags;
	/* Bits by enum kvm_reg: what KVM has read of the guest's registers since it ran. */
	uint32_t regs_avail;
	/* 5.11 and later: SEV-ES, TDX. */
	bool guest_state_protected;
};

/* CO-RE knows the value. */
enum kvm_reg {
	VCPU_EXREG_RFLAGS,
};

/* CO-RE knows the values. */
enum kvm_apicv_inhibit {
	APICV_INHIBIT_REASON_DISABLED,
	APICV_INHIBIT_REASON_ABSENT,
};

/* Up to 5.19. */
struct kvm_vcpu_arch___apicv {
	bool apicv_active;
};

/* From 7.0 on; CO-RE tells a bool from an enum. */
struct kvm_vcpu_arch___run_bool {
	bool nested_run_pending;
};

struct kvm_vcpu_arch___run_enum {
	enum { NESTED_RUN_PENDING_ANY } nested_run_pending;
};

struct kvm_vcpu_stat {
	/* 5.15 and later. */
	uint64_t guest_mode;
	/* How often it has left the guest. */
	uint64_t exits;
};

struct kvm_arch {
	unsigned long apicv_inhibit_reasons;
	/* 6.8 and later. */
	uint8_t vm_type;
};

struct kvm {
	int userspace_pid;
	struct kvm_arch arch;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	/* Threads that have not begun to end. */
	atomic_t live;
};

struct rq;

struct cfs_rq {
	/* Of its CPU; with FAIR_GROUP_SCHED. */
	struct rq *rq;
};

struct sched_entity {
	/* Of the CPU that it runs on; with FAIR_GROUP_SCHED. */
	struct cfs_rq *cfs_rq;
};

struct task_struct {
	struct sched_entity se;
	struct signal_struct *signal;
	struct task_struct *group_leader;
	char comm[16];
	/* 5.14 and later. */
	unsigned int __state;
	int pid;
};

/* With PREEMPT_RT. */
struct task_struct___rt {
	int softirq_disable_cnt;
};

/* 6.2 to 6.14: per-CPU variables that are used together. Before and since they are variables of their own. */
struct pcpu_hot {
	int preempt_count;
};

struct rcuwait {
	struct task_struct *task;
};

struct kvm_vcpu {
	struct kvm *kvm;
	/* Which it was loaded on last. */
	int cpu;
	int vcpu_id;
	uint64_t requests;
	uint32_t guest_debug;
	/* Of the thread while the vCPU is blocked. */
	struct rcuwait wait;
	struct kvm_vcpu_arch arch;
	struct kvm_vcpu_stat stat;
};

struct vmcs_controls_shadow {
	uint32_t exec;
	uint32_t secondary_exec;
};

struct loaded_vmcs {
	struct vmcs_controls_shadow controls_shadow;
};

struct vmcs12 {
	uint32_t pin_based_vm_exec_control;
	uint32_t secondary_vm_exec_control;
};

struct nested_vmx {
	struct vmcs12 *cached_vmcs12;
	struct loaded_vmcs vmcs02;
	/* Up to 6.19. */
	bool nested_run_pending;
};

/* Begins with the posted-interrupt requests, a bit a vector, on every kernel. */
struct pi_desc {
	uint32_t pir[8];
};

/* struct kvm_vcpu is its first member. */
struct vcpu_vmx {
	struct loaded_vmcs vmcs01;
	struct nested_vmx nested;
	uint64_t rflags;
	/* Up to 6.15. */
	struct pi_desc pi_desc;
	/* Up to 6.8; an argument of kvm_entry since. */
	bool req_immediate_exit;
};

/* What VMX and TDX have in common, from 6.16 on. */
struct vcpu_vt {
	struct pi_desc pi_desc;
};

struct vcpu_vmx___vt {
	struct vcpu_vt vt;
};

struct vmcb_save_area {
	uint64_t rflags;
};

struct vmcb {
	struct vmcb_save_area save;
};

/* struct kvm_vcpu is its first member. */
struct vcpu_svm {
	struct vmcb *vmcb;
};

/* Records of the tracepoints whose values KVM computes only for them. */
struct trace_event_raw_kvm_entry {
	unsigned int vcpu_id;
	unsigned long rip;
	uint32_t intr_info;
};

struct trace_event_raw_kvm_exit {
	unsigned int exit_reason;
	unsigned long guest_rip;
	uint32_t isa;
	uint64_t info1;
	uint64_t info2;
	unsigned int vcpu_id;
};

struct trace_event_raw_kvm_nested_vmexit {
	unsigned int exit_reason;
	unsigned long guest_rip;
	uint32_t isa;
	uint64_t info1;
	uint64_t info2;
	unsigned int vcpu_id;
};

#pragma clang attribute pop

#endif
