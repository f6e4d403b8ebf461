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
        info.symbols = symbols
        info.commands = commands
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
