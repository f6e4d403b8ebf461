// SPDX-License-Identifier: Apache-2.0

/// What a trace.dat holds beside its records, and where those lie.
///
/// A file that is cut or damaged yields what comes before the damage, and ``cut``.
struct TraceContainer: Sendable {
    let file: InputFile
    let head: TraceHead
    var texts = TracingTexts()
    var instances: [BufferInstance] = []
    var options = TraceOptions()
    /// CPUs by version 6's own count.
    var cpuCount = 0
    /// CPUs whose data was found without a table.
    var rescued = 0
    /// For the CPUs' chunks.
    let limit: InflationLimit
    /// A latency tracer's text is in the file.
    var holdsText = false

    /// - Parameter cut: damage that was met before, in unpacking the file.
    init(
        _ file: InputFile, cut: TraceCut? = nil, limit: InflationLimit = InflationLimit()
    ) throws(InputError) {
        self.file = file
        self.limit = limit
        head = try TraceHead(file)
        texts.cut = cut ?? head.damage
        switch head.version {
        case .v6: readVersion6()
        case .v7: readVersion7()
        }
        dropImpossibleCPUs()
        if holdsText, instances.allSatisfy(\.cpus.isEmpty) { throw .textOnly(file: file.name) }
    }

    /// Bytes of all CPUs' data, as they lie in the file.
    var dataSize: UInt64 {
        instances.flatMap(\.cpus).reduce(0) { $0 &+ ($1.data.upperBound - $1.data.lowerBound) }
    }

    var longSize: Int { texts.longSize }
    var formats: FormatCatalog { texts.formats }
    /// The first damage that was met.
    var cut: TraceCut? { texts.cut }

    mutating func note(_ damage: TraceCut) { texts.note(damage) }
}

// MARK: - Parts that both versions have

extension TraceContainer {
    /// An option behind its id and size. Damage in it ends neither the others nor what follows them.
    mutating func readOption(_ id: UInt16, size: UInt32, _ reader: inout SectionReader) throws(TraceCut) {
        guard TraceOptions.uses(id) else { return try reader.skip(UInt64(size)) }
        let offset = reader.offset
        let payload = try reader.text(UInt64(size))
        do throws(TraceCut) {
            try options.take(id, payload, at: offset, order: head.order)
        } catch {
            note(error)
        }
    }

    mutating func add(_ instance: BufferInstance, at offset: UInt64) throws(TraceCut) {
        let most = instance.cpus.isEmpty ? BufferInstance.mostInstances / 2 : BufferInstance.mostInstances
        guard instances.count < most else {
            throw TraceCut(offset: offset, expected: "at most \(BufferInstance.mostInstances) buffers")
        }
        instances.append(instance)
    }

    /// A CPU's data starts inside the file and shares no byte with another's; a CPU whose data doesn't is damage.
    private mutating func dropImpossibleCPUs() {
        var taken: UInt64 = 0
        let all = instances.indices.flatMap { instance in
            instances[instance].cpus.filter { $0.places == nil }.map { (instance, $0) }
        }.sorted { $0.1.data.lowerBound < $1.1.data.lowerBound }
        for index in instances.indices { instances[index].cpus.removeAll { $0.places == nil } }
        for (instance, cpu) in all {
            guard cpu.data.lowerBound >= taken, cpu.data.lowerBound < file.size else {
                note(
                    TraceCut(
                        offset: min(cpu.data.lowerBound, file.size),
                        expected: "\(cpu.data.upperBound - cpu.data.lowerBound) bytes of CPU \(cpu.id)'s data"))
                continue
            }
            taken = cpu.data.upperBound
            instances[instance].cpus.append(cpu)
        }
    }
}
