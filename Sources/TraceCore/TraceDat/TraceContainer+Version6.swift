// SPDX-License-Identifier: Apache-2.0

/// Version 6: parts in one fixed order, never compressed (trace-cmd 3.4, trace-cmd.dat.v6.5.txt).
extension TraceContainer {
    private static let tagSize: UInt64 = 10

    mutating func readVersion6() {
        do throws(TraceCut) {
            var reader = SectionReader(
                "a version 6 trace.dat's parts", of: file, head.end..<file.size, order: head.order)
            try texts.readHeaders(&reader)
            try texts.readInternalFormats(&reader)
            try texts.readFormats(&reader)
            try texts.readSymbols(&reader)
            try reader.skip(UInt64(try reader.integer(UInt32.self)))
            try texts.readCommands(&reader)
            let cpus = try reader.integer(UInt32.self)
            cpuCount = Int(cpus)
            var tag = try reader.text(Self.tagSize)
            if tag.starts(with: "options".utf8) {
                try readOptions(&reader)
                tag = try reader.text(Self.tagSize)
            }
            if tag.starts(with: "latency".utf8) {
                holdsText = true
                return
            }
            try readBuffer("", tag: tag, cpus: cpus, &reader)
            for (payload, offset) in options.buffers {
                var option = TraceOptions.reader(payload, at: offset, order: head.order)
                let offset = try option.integer(UInt64.self)
                let name = try option.string()
                guard offset < file.size else {
                    throw TraceCut(offset: file.size, expected: "buffer instance \(name) at \(offset)")
                }
                var table = SectionReader(
                    "the table of buffer instance \(name)", of: file, offset..<file.size, order: head.order)
                try readBuffer(name, tag: try table.text(Self.tagSize), cpus: cpus, &table)
            }
        } catch {
            note(error)
        }
    }

    private mutating func readOptions(_ reader: inout SectionReader) throws(TraceCut) {
        while true {
            let id = try reader.integer(UInt16.self)
            if id == TraceOptions.ID.done.rawValue { return }
            try readOption(id, size: try reader.integer(), &reader)
        }
    }

    /// The table of offset and size by CPU.
    private mutating func readBuffer(
        _ name: String, tag: [UInt8], cpus: UInt32, _ reader: inout SectionReader
    ) throws(TraceCut) {
        let start = reader.offset
        guard tag.starts(with: "flyrecord".utf8) else { throw reader.cut }
        var instance = BufferInstance(
            name: name, clock: options.clock, pageSize: head.pageSize, isCompressed: false)
        do throws(TraceCut) {
            for id in 0..<cpus {
                guard id < BufferInstance.mostCPUs else { throw BufferInstance.tooManyCPUs(at: start) }
                instance.add(cpu: id, offset: try reader.integer(), size: try reader.integer())
            }
        } catch {
            note(error)
        }
        try add(instance, at: start)
    }
}
