// SPDX-License-Identifier: Apache-2.0

extension PerfContainer {
    var info: TraceInfo {
        let packed = isCompressed ? " zstd" : ""
        var info = TraceInfo(
            format: (isPipe ? "perf.data pipe" : "perf.data") + packed,
            clock: hasTimes
                ? attributes.first { $0.tracepoint != nil }?.clock ?? .perf : TraceClock(name: "none", unit: .none),
            cpus: cpuCount)
        if !machine.release.isEmpty {
            let host = machine.host.isEmpty || machine.host.contains(" ") ? "(none)" : machine.host
            info.kernel = "Linux \(host) \(machine.release) \(machine.architecture)"
        }
        info.take(formats)
        info.symbols = texts.symbols
        info.commands = texts.commands
        return info
    }

    /// Samples of tracepoints say when they were taken.
    var hasTimes: Bool { attributes.allSatisfy { $0.tracepoint == nil || $0.fields.contains(.time) } }

    var keepsLatest: Bool { attributes.contains(where: \.writesBackward) }

    /// The formats of the events of which samples were taken.
    var formats: FormatCatalog {
        let sampled = Set(attributes.filter(\.isSampled).compactMap(\.tracepoint))
        return texts.formats.restricted(to: sampled)
    }

    /// `perf kvm stat record` chooses its events itself (kvm_events_tp of tools/perf/arch/x86/util/kvm-stat.c, 3.16 to 7.3).
    var isOfKVMStat: Bool {
        let names = formats.selected
        return names.isSuperset(of: ["kvm_entry", "kvm_exit", "kvm_mmio", "kvm_pio"])
            && names.isSubset(of: ["kvm_entry", "kvm_exit", "kvm_mmio", "kvm_pio", "kvm_msr"])
    }

    /// What an attribute's event is called by, as trace-cmd counts it.
    func name(_ attribute: PerfAttribute) -> String {
        if let id = attribute.tracepoint, let name = texts.formats.names[id] { return name }
        return attribute.name ?? attribute.usualName ?? "\(attribute.type):\(attribute.config)"
    }
}
