// SPDX-License-Identifier: Apache-2.0
import CBPF
import TraceCore

/// The probes that fit this kernel, loaded and attached to nothing yet.
struct LoadedProbes: ~Copyable {
    let object: BPFObject
    /// Kinds that this kernel has a tracepoint for.
    let kinds: EventKindSet
    /// That the kernel may bring up: rows of the map of counts.
    let cpus: Int

    init(_ options: LiveOptions, host: HostFacts, types: borrowing KernelTypes) throws(BPFError) {
        let object = try BPFObject()
        var config = probe_config()
        config.vm = UInt32(bitPattern: options.onlyProcess ?? 0)
        config.vcpu = options.onlyVCPU ?? -1
        config.is_vmx = host.isa == .vmx ? 1 : 0
        config.is_svm = host.isa == .svm ? 1 : 0
        // Before 6.0 what an injection repeats is known from the exit before it.
        config.counts_exits = types.hasField("kvm_inj_virq.reinjected") ? 1 : 0
        config.sends_lapic = options.sendsLAPIC ? 1 : 0
        config.preempt_count = types.distanceOfPreemptCount ?? 0
        let cpus = max(Int(libbpf_num_possible_cpus()), 1)
        try object.configure(config)
        try object.resize("counts", to: UInt32(cpus))
        try object.resize("ring", to: options.ringBytes)
        let kinds = Self.select(object.programs, types)
        try object.load()
        self.object = object
        self.kinds = kinds
        self.cpus = cpus
    }

    /// Marks the programs that this kernel's tracepoints and their prototypes allow.
    private static func select(_ programs: [BPFProgram], _ types: borrowing KernelTypes) -> EventKindSet {
        var kinds: EventKindSet = []
        for program in programs {
            let fits = fits(program, types)
            program.setLoads(fits)
            if fits, let kind = EventKind(tracepoint: program.tracepoint) { kinds.insert(kind) }
        }
        return kinds
    }

    private static func fits(_ program: BPFProgram, _ types: borrowing KernelTypes) -> Bool {
        if program.isOnDemand { return types.hasProgramsOnDemand }
        guard let arguments = types.argumentCount(ofTracepoint: program.tracepoint) else { return false }
        return program.argumentCount == nil || program.argumentCount == arguments
    }
}
