// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Files that were made to mislead: what they claim costs neither memory nor what else is in them, and is reported.
@Suite struct HostileFileTests {
    private func page(_ time: UInt64, lost: UInt64? = nil) -> [UInt8] {
        var page = TestPage(time: time)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        return page.bytes(lost: lost)
    }

    /// One event in a trace with these options, which lie in front of the table of its buffer.
    private func trace(_ options: (id: UInt16, payload: [UInt8])...) -> TestTrace {
        var trace = TestTrace(cpus: [(0, [page(1)])])
        trace.options = options
        return trace
    }

    private func number<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
        var bytes = Bytes()
        bytes.number(number)
        return bytes.bytes
    }

    private func versions(_ trace: TestTrace) -> [[UInt8]] { [trace.version6(), trace.version7()] }

    @Test func `buffers beyond a number are not read`() throws {
        var trace = TestTrace()
        trace.buffers = (0..<70).map { .init(name: "\($0)", cpus: [(0, [page(1)])]) }
        let read = try TestFile.read(trace.version7())
        #expect(read.totals.byName == ["kvm_eoi": 64])
        #expect(read.totals.cut?.expected == "at most 64 buffers")
    }

    @Test func `empty buffers leave room for others`() throws {
        var trace = TestTrace()
        trace.buffers = (0..<1000).map { .init(name: "\($0)", cpus: []) } + [.init(cpus: [(0, [page(1)])])]
        let read = try TestFile.read(trace.version7())
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut?.expected == "at most 64 buffers")
    }

    @Test func `an option that nothing is wanted of may be of any size`() throws {
        for bytes in versions(trace((10, [UInt8](repeating: 1, count: 5 << 20)), (999, []))) {
            let read = try TestFile.read(bytes)
            #expect(read.lines == ["1 cpu0 eoi 1"])
            #expect(read.totals.cut == nil)
        }
    }

    @Test func `guests without end don't cost the buffers`() throws {
        let threads = [UInt8](repeating: 0, count: 8 * 100_000)
        let guest = Array("vm\0".utf8) + number(UInt64(1)) + number(UInt32(100_000)) + threads
        var trace = trace()
        trace.options = [(UInt16, [UInt8])](repeating: (13, guest), count: 10)
        let read = try TestFile.read(trace.version7())
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut?.expected == "options of a sane size")
    }

    @Test func `options that are kept have a bound`() throws {
        let uname = (id: UInt16(5), payload: [UInt8](repeating: 0x41, count: 3 << 20))
        let read = try TestFile.read(trace(uname, uname).version6())
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut?.expected == "options of a sane size")
    }

    @Test(
        arguments: [
            (14, [1, 2, 3], "an option's payload"), (13, [0x41, 0x42], "an option's payload"),
            (8, [0xff, 0xff, 0xff, 0xff], "at most 8192 CPUs"),
        ] as [(UInt16, [UInt8], String)])
    func `an option without sense costs no event`(id: UInt16, payload: [UInt8], expected: String) throws {
        for bytes in versions(trace((id, payload), (5, Array("Linux host\0".utf8)))) {
            let read = try TestFile.read(bytes)
            #expect(read.lines == ["1 cpu0 eoi 1"])
            #expect(read.info.kernel == "Linux host")
            #expect(read.info.cpus == 1)
            #expect(read.totals.cut?.expected == expected)
        }
    }

    @Test(arguments: [8192, 0x7fff_ffff, 0xffff_ffff] as [UInt32])
    func `a CPU that can't be is read under another number`(id: UInt32) throws {
        let read = try TestFile.read(TestTrace(cpus: [(3, [page(1)]), (id, [page(2)])]).version7())
        #expect(read.lines == ["1 cpu3 eoi 1", "2 cpu1 eoi 1"])
        #expect(read.info.cpus == 4)
        #expect(read.totals.cut?.expected == "the number of a CPU, not \(id)")
    }

    @Test func `CPUs with large numbers are read`() throws {
        let read = try TestFile.read(TestTrace(cpus: [(4096, [page(2)]), (8191, [page(1)])]).version7())
        #expect(read.lines == ["1 cpu8191 eoi 1", "2 cpu4096 eoi 1"])
        #expect(read.info.cpus == 8192)
        #expect(read.totals.cut == nil)
    }

    @Test func `a table that claims more CPUs than it has keeps those that are there`() throws {
        var bytes = TestTrace(cpus: [(0, [page(1)])]).version7()
        let table = number(UInt32(4096)) + number(UInt32(1))
        let place = try #require(bytes.ranges(of: table).last)
        bytes.replaceSubrange((place.upperBound - 4)..<place.upperBound, with: number(UInt32.max))
        let read = try TestFile.read(bytes)
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut?.expected == "an option's payload")
    }

    @Test(arguments: [
        "\u{1}\u{2}\u{3}", "name: kvm_mmio\nID: 99999\n", "name: kvm_mmio\nID: 9\nformat:\n",
        TestRecord.format("kvm_pv_eoi", id: 9, [("__u32 apicid", 8, 4, 0), ("int vector", -12, 4, 1)]),
        "name: \(String(repeating: "x", count: 300))\nID: 9\n",
    ])
    func `a format without sense is reported, and the others are read`(text: String) throws {
        var trace = trace()
        trace.formats.insert(("kvm", text), at: 0)
        for bytes in versions(trace) {
            let read = try TestFile.read(bytes)
            #expect(read.lines == ["1 cpu0 eoi 1"])
            let cut = try #require(read.totals.cut)
            #expect(cut.expected == "a format that makes sense")
            #expect(bytes[Int(cut.offset)...].starts(with: text.utf8))
        }
    }

    @Test func `records that are shorter than their format says are a doubt`() throws {
        var trace = trace()
        trace.formats = [
            ("kvm", TestRecord.format("kvm_eoi", id: 300, [("__u32 apicid", 8, 4, 0), ("int vector", 60000, 4, 1)]))
        ]
        var file = try TestFile.open(trace.version7())
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        #expect(totals.shortRecords == 1)
        let report = ReportBuilder(analysis, totals: totals, path: nil).report()
        #expect(report.verdict == .inconclusive)
        #expect(report.limits.contains { $0.hasPrefix("1 records are shorter than their format says") })
    }

    @Test func `a page size that can't be is reported, and the pages are read by the usual one`() throws {
        for bytes in versions(trace()) {
            let start = TraceHead.magic.count + 2 + 2
            var damaged = Array(bytes)
            damaged[start + 2] ^= 0x40
            let read = try TestFile.read(damaged)
            #expect(read.lines == ["1 cpu0 eoi 1"])
            #expect(read.totals.cut?.offset == UInt64(start))
        }
        var bytes = trace().version7()
        let buffer = try #require(bytes.firstRange(of: Array("local\0".utf8) + [0, 0x10, 0, 0]))
        bytes[buffer.upperBound - 2] ^= 0x40
        let read = try TestFile.read(bytes)
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut != nil)
    }

    @Test func `records of an event that no format describes are a doubt`() throws {
        var trace = trace()
        trace.formats = [("kvm", TestRecord.format("kvm_eoi", id: 299, [("int vector", 8, 4, 1)]))]
        var file = try TestFile.open(trace.version7())
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        #expect(totals.unknownRecords == totals.byName["unknown-300"])
        #expect(totals.unknownRecords > 0)
        let report = ReportBuilder(analysis, totals: totals, path: nil).report()
        #expect(report.verdict == .inconclusive)
        #expect(report.limits.contains { $0.contains("of events that the file doesn't describe") })
    }

    @Test func `of many fields, commands and gaps a part is kept, and all are counted`() throws {
        let fields = (0..<1000).map { ("int f\($0)", 16, 4, 0) }
        var trace = TestTrace(cpus: [(0, (0..<5000).map { page($0 + 1, lost: $0 % 2 == 0 ? 3 : 0) })])
        trace.formats = [
            (
                "kvm",
                TestRecord.format("kvm_eoi", id: 300, [("__u32 apicid", 8, 4, 0), ("int vector", 12, 4, 1)] + fields)
            )
        ]
        trace.commands = (0..<70_000).map { "\($0) a\n" }.joined()
        var file = try TestFile.open(trace.version7())
        #expect(file.info.formatFields.count == 256)
        #expect(file.info.commands.count == 65536)
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        #expect(totals.gaps.count == 4096)
        let loss = ReportBuilder(analysis, totals: totals, path: nil).report().loss
        #expect((loss.gapsTotal, loss.unknownGaps, loss.known) == (5000, 2500, 7500))
    }

    @Test func `a latency tracer's text beside events is reported`() throws {
        var trace = trace()
        trace.bufferText = "# tracer: irqsoff\n"
        let read = try TestFile.read(trace.version7())
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut == nil)
        #expect(read.totals.notes.contains { $0.contains("latency tracer's text") })
    }

    @Test func `a chain of options sections may not go on for ever`() throws {
        let bytes = trace().version7()
        let read = try TestFile.read(TestTrace.lengthened(bytes, by: 100))
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut?.expected == "at most 64 options sections")
    }
}
