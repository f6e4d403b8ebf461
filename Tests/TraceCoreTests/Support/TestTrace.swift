// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A trace.dat put together section by section, uncompressed.
struct TestTrace {
    struct Buffer {
        var name = ""
        var cpus: [(id: UInt32, pages: [[UInt8]])]
    }

    var order = ByteOrder.little
    var longSize = 8
    var pageSize = 4096
    var clock = "local"
    var formats = [("kvm", TestRecord.eoiFormat)]
    var options: [(id: UInt16, payload: [UInt8])] = []
    var buffers: [Buffer] = []
    var symbols: String?
    var commands = "7 qemu-system-x86\n"
    /// What a latency tracer printed, in version 7's BUFFER_TEXT section.
    var bufferText: String?

    init(cpus: [(id: UInt32, pages: [[UInt8]])] = []) {
        buffers = cpus.isEmpty ? [] : [Buffer(cpus: cpus)]
    }

    private func head(version: String) -> Bytes {
        var file = Bytes(order: order)
        file.bytes = [0x17, 0x08, 0x44] + Array("tracing".utf8)
        file.string(version)
        file.bytes += [order == .little ? 0 : 1, 8]
        file.number(UInt32(pageSize))
        return file
    }

    private var headerInfo: [UInt8] {
        var section = Bytes(order: order)
        let commit = "\tfield: local_t commit;\toffset:8;\tsize:\(longSize);\tsigned:1;\n"
        for (name, text) in [("header_page", commit), ("header_event", "")] {
            section.string(name)
            section.number(UInt64(text.utf8.count))
            section.bytes += Array(text.utf8)
        }
        return section.bytes
    }

    private var formatSection: [UInt8] {
        var section = Bytes(order: order)
        section.number(UInt32(formats.count))
        for (system, text) in formats {
            section.string(system)
            section.number(UInt32(1))
            section.number(UInt64(text.utf8.count))
            section.bytes += Array(text.utf8)
        }
        return section.bytes
    }

    private var commandSection: [UInt8] { number(UInt64(commands.utf8.count)) + Array(commands.utf8) }

    private func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        var bytes = Bytes(order: order)
        bytes.number(value)
        return bytes.bytes
    }

    // MARK: - Version 7

    /// - Parameters:
    ///   - lastOptions: where the chain of option sections goes from its end: 0 as usual, or back for a cycle.
    func version7(cycle: Bool = false) -> [UInt8] {
        var file = head(version: "7")
        file.string("none")
        file.string("")
        let first = file.bytes.count
        file.number(UInt64(0))
        var list: [(id: UInt16, payload: [UInt8])] = []
        func section(_ id: UInt16, _ content: [UInt8]) -> Int {
            let start = file.bytes.count
            file.number(id)
            file.number(UInt16(0))
            file.number(UInt32(0))
            file.number(UInt64(content.count))
            file.bytes += content
            return start
        }
        var contents = [(UInt16(16), headerInfo), (18, formatSection), (21, commandSection)]
        if let symbols { contents.append((19, number(UInt32(symbols.utf8.count)) + Array(symbols.utf8))) }
        if let bufferText { contents.append((22, Array(bufferText.utf8))) }
        for (id, content) in contents { list.append((id, number(UInt64(section(id, content))))) }
        list += options
        // The first chain element's `next` is filled in below, once the last section's place is known.
        let chained = section(0, optionBytes(list, next: 0))
        let nextAt = file.bytes.count - 8
        file.bytes.replaceSubrange(first..<(first + 8), with: number(UInt64(chained)))
        list = []
        for buffer in buffers {
            let start = section(3, [])
            var payload = Bytes(order: order)
            payload.number(UInt64(start))
            payload.string(buffer.name)
            payload.string(clock)
            payload.number(UInt32(pageSize))
            payload.number(UInt32(buffer.cpus.count))
            file.pad(to: pageSize)
            for cpu in buffer.cpus {
                payload.number(cpu.id)
                payload.number(UInt64(file.bytes.count))
                payload.number(UInt64(cpu.pages.joined().count))
                file.bytes += cpu.pages.joined()
            }
            let size = number(UInt64(file.bytes.count - start - 16))
            file.bytes.replaceSubrange((start + 8)..<(start + 16), with: size)
            list.append((3, payload.bytes))
        }
        let last = section(0, optionBytes(list, next: cycle ? UInt64(chained) : 0))
        file.bytes.replaceSubrange(nextAt..<(nextAt + 8), with: number(UInt64(last)))
        return file.bytes
    }

    /// A version 7 file in which so many empty option sections lie between the first one and the next.
    static func lengthened(_ trace: [UInt8], by count: Int) -> [UInt8] {
        func number(_ value: Int, _ bytes: Int) -> [UInt8] {
            (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        func value(at place: Int) -> Int { (0..<8).reduce(0) { $0 | Int(trace[place + $1]) << (8 * $1) } }
        let first = value(at: 10 + 2 + 2 + 4 + 5 + 1)
        let next = first + 16 + value(at: first + 8) - 8
        var longer = trace
        longer.replaceSubrange(next..<(next + 8), with: number(trace.count, 8))
        for index in 1...count {
            let following = index < count ? trace.count + index * 30 : value(at: next)
            longer += number(0, 8) + number(14, 8) + number(0, 2) + number(8, 4) + number(following, 8)
        }
        return longer
    }

    private func optionBytes(_ options: [(id: UInt16, payload: [UInt8])], next: UInt64) -> [UInt8] {
        var bytes = Bytes(order: order)
        for option in options + [(0, number(next))] {
            bytes.number(option.id)
            bytes.number(UInt32(option.payload.count))
            bytes.bytes += option.payload
        }
        return bytes.bytes
    }

    // MARK: - Version 6

    /// Of the first buffer.
    func version6() -> [UInt8] {
        var file = head(version: "6")
        file.bytes += headerInfo
        file.number(UInt32(0))
        file.bytes += formatSection
        file.number(UInt32(symbols?.utf8.count ?? 0))
        file.bytes += Array((symbols ?? "").utf8)
        file.number(UInt32(0))
        file.bytes += commandSection
        let cpus = buffers.first?.cpus ?? []
        let count = cpus.map { $0.id + 1 }.max() ?? 0
        file.number(count)
        file.string("options  ")
        for option in options {
            file.number(option.id)
            file.number(UInt32(option.payload.count))
            file.bytes += option.payload
        }
        file.number(UInt16(0))
        file.string("flyrecord")
        var offset = (file.bytes.count + 16 * Int(count) + pageSize - 1) / pageSize * pageSize
        for id in 0..<count {
            let size = cpus.first { $0.id == id }.map { $0.pages.joined().count } ?? 0
            file.number(UInt64(offset))
            file.number(UInt64(size))
            offset += size
        }
        file.pad(to: pageSize)
        for cpu in cpus.sorted(by: { $0.id < $1.id }) { file.bytes += cpu.pages.joined() }
        return file.bytes
    }
}
