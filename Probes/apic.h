/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Local APIC accesses and the interrupts that they send, accept, inject and end. */

SEC("tp_btf/kvm_apic_ipi")
int BPF_PROG(kvm_apic_ipi, uint32_t icr_low, uint32_t destination)
{
	struct probe_record *record;

	if (!hit(KIND_APIC_IPI) || !(record = reserve(KIND_APIC_IPI)))
		return 0;
	record->ipi.icr_low = icr_low;
	record->ipi.destination = destination;
	return submit(record);
}
