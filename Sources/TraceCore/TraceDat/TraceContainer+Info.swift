// SPDX-License-Identifier: Apache-2.0

extension TraceContainer {
    var info: TraceInfo {
        let clock = instances.lazy.compactMap(\.clock).first { !$0.isEmpty } ?? options.clock ?? "local"
        let highest = instances.flatMap(\.cpus).map { Int($0.id) + 1 }.max() ?? 0
        var info = TraceInfo(
            format: "trace.dat v\(head.version.rawValue)"
                + (head.compression == .none ? "" : " \(head.compression.rawValue)"),
            clock: TraceClock(clock, isConverted: options.conversion.multiplier != 0),
            cpus: options.cpuCount ?? max(cpuCount, highest))
        info.kernel = options.uname
        info.order = head.order
        info.take(formats)
        info.symbols = texts.symbols
        info.commands = texts.commands
        info.traceID = options.traceID
        info.hostTraceID = options.hostTraceID
        info.guests = options.guests
        info.sviFix = recordedFix
        return info
    }
}

extension TraceInfo {
    /// What the formats of the recorded tracepoints tell.
    public mutating func take(_ formats: FormatCatalog) {
        eventsSelected = formats.selected.isEmpty ? nil : formats.selected.sorted()
        describesWholeKernel = formats.isOfWholeKernel
        recordedKinds = formats.kinds
        formatFields = formats.fields
        otherFormats = formats.others.map(\.text)
        inhibitNames = formats.inhibitNames
    }
}

extension TraceContainer {
    /// What a recording of live tracing says of its host: the first record of one of its CPUs.
    var recordedFix: FixState? {
        guard head.order == .little, let (id, binding) = formats.own.first(where: { $0.binding.event == .host }) else {
            return nil
        }
        let tally = RecordTally()
        tally.bind(id: id, to: 0)
        let inflater = ChunkInflater(head.compression, of: file)
        for instance in instances {
            let layout = PageLayout(order: head.order, longSize: longSize, pageSize: instance.pageSize)
            for cpu in instance.cpus {
                let source = PageSource(
                    "CPU \(cpu.id)'s data", of: file, cpu.data, places: cpu.places, pageSize: instance.pageSize,
                    order: head.order,
                    room: instance.pageSize, inflater: instance.isCompressed ? inflater : nil)
                let values = withExtendedLifetime(source) { () -> [UInt64]? in
                    guard let page = source.page(), var cursor = PageCursor(page: page, layout: layout),
                        cursor.next(tally)
                    else { return nil }
                    return binding.values(cursor.record)
                }
                if let values { return FixState(values) }
            }
        }
        return nil
    }
}
