// SPDX-License-Identifier: Apache-2.0

/// The file around the pages (trace-cmd 3.4, trace-cmd.dat.v7.5.txt): a head, the sections that describe the records and the
/// options that lead to them. See ``RecordingPlan``.
extension TraceWriter {
    private static let pageSize = UInt64(PageBuilder.pageSize)
    /// Of the saved command lines: the kernel keeps 128 unless it is set to keep more, and this holds thousands.
    private static let mostCommandBytes = 48 << 10

    private typealias Options = [(id: TraceOptions.ID, payload: LittleEndianBytes)]

    /// Describes what is in the file so far, without a table of the pages.
    mutating func describe() throws(TraceWriterError) {
        let description = description(at: plan.spare, last: [])
        // Formats beyond all measure wait for the end.
        guard description.count <= plan.areaSize else { return }
        try put(description, at: plan.spare, optionsAt: optionsOffset(at: plan.spare))
        plan.swapAreas()
    }

    /// Describes the whole file.
    mutating func describe(overrun: UInt64?) throws(TraceWriterError) {
        let last = statistics(overrun: overrun) + [(.buffer, bufferTable)]
        let size = description(at: plan.spare, last: last).count
        let place = size <= plan.areaSize ? plan.spare : store.end
        try file.write(Self.header(.buffer, size: store.end - plan.buffer - Self.headerSize).bytes, at: plan.buffer)
        try put(description(at: place, last: last), at: place, optionsAt: optionsOffset(at: place))
        plan.swapAreas()
    }

    /// The file's first bytes. Its buffer is as long as the file.
    mutating func begin() throws(TraceWriterError) {
        try file.empty(reserving: plan.data)
        try describe()
        try file.write(Self.header(.buffer, size: UInt64(Int64.max)).bytes, at: plan.buffer)
        try file.write(plan.head, at: 0)
    }

    private func put(
        _ description: LittleEndianBytes, at place: UInt64, optionsAt offset: UInt64
    ) throws(TraceWriterError) {
        try file.write(description.bytes, at: place)
        var pointer = LittleEndianBytes()
        pointer.number(offset)
        try file.write(pointer.bytes, at: plan.pointer)
    }

    /// The sections, and the options behind them.
    private func description(at place: UInt64, last: Options) -> LittleEndianBytes {
        var description = LittleEndianBytes()
        var options: Options = []
        for section in describingSections {
            var offset = LittleEndianBytes()
            offset.number(place + description.count)
            options.append((section.id, offset))
            description += Self.section(section.id, section.content)
        }
        description += Self.section(.done, Self.content(of: options + describingOptions + last))
        return description
    }

    private func optionsOffset(at place: UInt64) -> UInt64 {
        place + describingSections.reduce(0) { $0 + Self.headerSize + $1.content.count }
    }

    // MARK: - Sections

    private static let headerSize: UInt64 = 16

    private static func header(_ id: TraceOptions.ID, size: UInt64) -> LittleEndianBytes {
        var header = LittleEndianBytes()
        header.number(id.rawValue)
        header.number(UInt16(0))  // not compressed
        header.number(UInt32(0))  // no description
        header.number(size)
        return header
    }

    private static func section(_ id: TraceOptions.ID, _ content: LittleEndianBytes) -> LittleEndianBytes {
        var section = header(id, size: content.count)
        section += content
        return section
    }

    private var describingSections: [(id: TraceOptions.ID, content: LittleEndianBytes)] {
        var sections = [(TraceOptions.ID.headerInfo, Self.pageFormat), (.formats, formats), (.commands, commandLines)]
        if let symbols = info.symbols { sections.append((.symbols, Self.symbolList(symbols))) }
        return sections
    }

    /// tracefs' `events/header_page` and `events/header_event`, kernel 6.18.
    private static var pageFormat: LittleEndianBytes {
        var section = LittleEndianBytes()
        section.string("header_page")
        section.text(
            """
            \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
            \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
            \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
            \tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;

            """)
        section.string("header_event")
        section.text(
            """
            # compressed entry header
            \ttype_len    :    5 bits
            \ttime_delta  :   27 bits
            \tarray       :   32 bits

            \tpadding     : type == 29
            \ttime_extend : type == 30
            \ttime_stamp : type == 31
            \tdata max type_len  == 28

            """)
        return section
    }

    private var formats: LittleEndianBytes {
        let systems = layouts.systems
        var section = LittleEndianBytes()
        section.number(UInt32(systems.count))
        for system in systems {
            let texts = layouts.text(of: system)
            section.string(system)
            section.number(UInt32(texts.count))
            for text in texts { section.text(text) }
        }
        return section
    }

    private var commandLines: LittleEndianBytes {
        var section = LittleEndianBytes()
        var lines = ""
        for (tid, command) in commands.sorted(by: { $0.key < $1.key }) {
            // A name with a line break would be another line.
            let line = "\(tid) \(command.printable)\n"
            guard lines.utf8.count + line.utf8.count <= Self.mostCommandBytes else { break }
            lines += line
        }
        section.text(lines)
        return section
    }

    /// What is known of the symbols, with the addresses that a kernel shows to those who may not know them.
    private static func symbolList(_ symbols: KernelSymbols) -> LittleEndianBytes {
        var names: [String] = ["_text"]
        if symbols.hasKVM { names.append("\(KallsymsScan.neighbourName)\t[kvm]") }
        if symbols.hasUpdateHwapicISR { names.append("kvm_apic_update_hwapic_isr\t[kvm]") }
        let text = names.map { "0000000000000000 t \($0)\n" }.joined()
        var section = LittleEndianBytes()
        section.number(UInt32(text.utf8.count))
        section += LittleEndianBytes(Array(text.utf8))
        return section
    }

    // MARK: - Options

    private static func content(of options: Options) -> LittleEndianBytes {
        var end = LittleEndianBytes()
        end.number(UInt64(0))  // no further options
        var content = LittleEndianBytes()
        for (id, payload) in options + [(.done, end)] {
            content.number(id.rawValue)
            content.number(UInt32(payload.count))
            content += payload
        }
        return content
    }

    private static func text(_ text: String) -> LittleEndianBytes {
        var payload = LittleEndianBytes()
        payload.string(text)
        return payload
    }

    private var describingOptions: Options {
        var options: Options = [(.traceClock, Self.text("[\(info.clock.name)]"))]
        if let kernel = info.kernel { options.append((.uname, Self.text(kernel))) }
        if info.clock.unit == .nanoseconds, TraceClock(info.clock.name, isConverted: false).unit != .nanoseconds {
            // The stamps were converted when they were read.
            var unity = LittleEndianBytes()
            unity.number(UInt32(1))
            unity.number(UInt32(0))
            unity.number(UInt64(0))
            options.append((.tscToNanoseconds, unity))
        }
        var cpus = LittleEndianBytes()
        cpus.number(UInt32(clamping: info.cpus))
        options.append((.cpuCount, cpus))
        for guest in info.guests {
            var payload = LittleEndianBytes()
            payload.string(guest.name)
            payload.number(UInt64(0))
            payload.number(UInt32(clamping: guest.threads.count))
            for thread in guest.threads {
                payload.number(thread.vcpu)
                payload.number(thread.tid)
            }
            options.append((.guest, payload))
        }
        return options
    }

    /// Losses by CPU as tracefs' `per_cpu/cpuN/stats` tells them. What the source can't tie to a CPU goes to the first.
    private func statistics(overrun: UInt64?) -> Options {
        guard var rest = overrun else { return [] }
        var drops = lost.isEmpty ? [0] : lost
        for cpu in drops.indices {
            drops[cpu] = min(drops[cpu], rest)
            rest -= drops[cpu]
        }
        return drops.enumerated().map { cpu, dropped in
            (
                .cpuStatistics,
                Self.text(
                    "CPU: \(cpu)\noverrun: 0\ncommit overrun: \(cpu == 0 ? rest : 0)\ndropped events: \(dropped)\n")
            )
        }
    }

    private var bufferTable: LittleEndianBytes {
        let cpus = store.cpus
        var payload = LittleEndianBytes()
        payload.number(plan.buffer)
        payload.string("")
        payload.string(info.clock.name)
        payload.number(UInt32(Self.pageSize))
        payload.number(UInt32(cpus.count))
        for (cpu, data) in cpus {
            payload.number(UInt32(cpu))
            payload.number(data.lowerBound)
            payload.number(data.upperBound - data.lowerBound)
        }
        return payload
    }
}
