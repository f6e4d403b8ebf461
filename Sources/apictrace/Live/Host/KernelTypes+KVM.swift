// SPDX-License-Identifier: Apache-2.0
import TraceCore

extension KernelTypes {
    /// Fields, `event.field`, that later kernels added to their records and that make a verdict surer.
    static let laterFields = [
        "kvm_entry.intr_info", "kvm_entry.immediate_exit", "kvm_exit.requests", "kvm_page_fault.vcpu_id",
        "kvm_inj_virq.reinjected",
    ]

    /// A field of a tracepoint's record (include/trace/stages/stage1_struct_define.h names its struct so).
    func hasField(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        guard parts.count == 2 else { return false }
        return hasMember(String(parts[1]), of: "trace_event_raw_\(parts[0])") == true
    }

    /// The inhibit bits by their numbers here: from 5.18 on they are an enum, macros before.
    var inhibitNames: [String] {
        let prefix = "APICV_INHIBIT_REASON_"
        return constants(ofEnum: "kvm_apicv_inhibit").filter { $0.hasPrefix(prefix) }.map {
            String($0.dropFirst(prefix.count))
        }
    }

    /// The kernel runs programs that hang on no tracepoint when it is asked to (5.14).
    var hasProgramsOnDemand: Bool { constants(ofEnum: "bpf_prog_type").contains("BPF_PROG_TYPE_SYSCALL") }

    /// From a CPU's run queue to its preempt_count: a variable of its own, or the start of `pcpu_hot` (6.2 to 6.14).
    var distanceOfPreemptCount: Int64? {
        guard let start = placeOfPerCPU("runqueues"),
            let end = placeOfPerCPU("__preempt_count") ?? placeOfPerCPU("pcpu_hot")
        else { return nil }
        return Int64(end) - Int64(start)
    }

    func has(_ kind: EventKind) -> Bool {
        for name in kind.tracepoints where argumentCount(ofTracepoint: name) != nil { return true }
        return false
    }
}
