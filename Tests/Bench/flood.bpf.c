// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records as the probes send them, at a rate and with a content that a benchmark chooses: `ring` is apictrace's. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "event.h"

enum { MOST_RECORDS = 1024, APIC_EOI = 0xfee000b0 };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* Records that found the ring full. */
__u64 dropped;

static __always_inline void fill(struct probe_header *header, enum probe_kind kind)
{
	__u64 id = bpf_get_current_pid_tgid();

	header->kind = kind;
	header->has = 0;
	header->cpu = bpf_get_smp_processor_id();
	header->tid = id;
	header->tgid = id >> 32;
	header->time = bpf_ktime_get_ns();
}

/* The calling thread is vCPU 0 of a VM with APICv active. */
SEC("raw_tp")
int state(void *context)
{
	struct probe_vcpu_state *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

	if (!record) {
		dropped++;
		return 0;
	}
	fill(&record->header, KIND_VCPU_STATE);
	record->vm = 0x1000;
	record->inhibits = 0;
	record->vcpu = 0;
	record->pid = record->header.tgid;
	record->flags = VCPU_APICV_ACTIVE | VCPU_LAPIC;
	record->row = 0;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/* The first argument's number of records: of each four an IPI, its acceptance, and an EOI as an access and as an event. */
SEC("raw_tp")
int interrupts(struct bpf_raw_tracepoint_args *context)
{
	__u64 count = context->args[0];

	for (int i = 0; i < MOST_RECORDS && i < count; i++) {
		struct probe_record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

		if (!record) {
			dropped++;
			continue;
		}
		switch (i % 4) {
		case 0:
			fill(&record->header, KIND_APIC_IPI);
			record->ipi.icr_low = 0x44041;
			record->ipi.destination = 0;
			break;
		case 1:
			fill(&record->header, KIND_APIC_ACCEPT_IRQ);
			record->accept.vcpu = 0;
			record->accept.delivery_mode = 0;
			record->accept.vector = 0x41;
			break;
		case 2:
			fill(&record->header, KIND_MMIO);
			record->mmio.gpa = APIC_EOI;
			record->mmio.value = 0;
			record->mmio.type = 2;
			record->mmio.length = 4;
			break;
		default:
			fill(&record->header, KIND_EOI);
			record->eoi.vcpu = 0;
			record->eoi.vector = 0x41;
		}
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	}
	return 0;
}

/* One change of the VM's inhibits, to the first argument. */
SEC("raw_tp")
int inhibit(struct bpf_raw_tracepoint_args *context)
{
	struct probe_record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

	if (!record) {
		dropped++;
		return 0;
	}
	fill(&record->header, KIND_APICV_INHIBIT_CHANGED);
	record->inhibit.inhibits = context->args[0];
	record->inhibit.reason = 1;
	record->inhibit.set = context->args[0] != 0;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
