// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Glibc
import Testing

@testable import TraceCore

@Suite struct TraceFileTests {
    private func page(_ time: UInt64, _ vectors: Int32..., order: ByteOrder = .little, size: Int = 4096) -> TestPage {
        var page = TestPage(time: time, layout: PageLayout(order: order, pageSize: size))
        for (index, vector) in vectors.enumerated() {
            page.record(TestRecord.eoi(vcpu: 0, vector: vector, order: order), delta: index == 0 ? 0 : 10)
        }
        return page
    }

    @Test func `CPUs are merged by time, the lower id first where times are equal`() throws {
        var trace = TestTrace(cpus: [
            (5, [page(100, 1, 2).bytes(), page(125, 3).bytes()]), (2, [page(105, 4, 5, 6).bytes()]),
            (3, [page(110, 7).bytes()]),
        ])
        trace.options = [(8, [8, 0, 0, 0])]
        let expected = [
            "100 cpu5 eoi 1", "105 cpu2 eoi 4", "110 cpu3 eoi 7", "110 cpu5 eoi 2", "115 cpu2 eoi 5", "125 cpu2 eoi 6",
            "125 cpu5 eoi 3",
        ]
        for bytes in [trace.version7(), trace.version6()] {
            let read = try TestFile.read(bytes)
            #expect(read.lines == expected)
            #expect(read.totals.byName == ["kvm_eoi": 7])
            #expect((read.totals.first, read.totals.last) == (100, 125))
            #expect(read.totals.cut == nil)
            #expect(read.totals.overrun == nil)
            #expect(read.info.cpus == 8)
            #expect(read.info.commands == [7: "qemu-system-x86"])
            #expect(read.info.eventsSelected == ["kvm_eoi"])
            #expect(read.info.recordedKinds == EventKindSet(.eoi))
            #expect(read.info.formatFields.contains("kvm_eoi.vector"))
        }
    }

    @Test func `many CPUs come out in one order`() throws {
        var random = TestRandom(seed: 3)
        var times: [(time: UInt64, cpu: UInt32)] = []
        let cpus = (0..<23).map { (cpu: UInt32) in
            var time = random.next() % 50
            var page = TestPage(time: time)
            for index in 0..<40 {
                let delta = index == 0 ? 0 : UInt32(random.next() % 60)
                page.record(TestRecord.eoi(vcpu: 0, vector: 1), delta: delta)
                time += UInt64(delta)
                times.append((time, cpu))
            }
            return (id: cpu, pages: [page.bytes()])
        }
        let expected = times.sorted { $0 < $1 }.map { "\($0.time) cpu\($0.cpu) eoi 1" }
        #expect(try TestFile.read(TestTrace(cpus: cpus).version7()).lines == expected)
    }

    @Test func `a recording cut in the section of names tells so`() throws {
        let bytes = try TestFile.bytes(of: TestFile.fixture("intel/6.12.107/passthrough-2v.dat"))
        #expect(try TestFile.read(bytes).totals.cut == nil)
        for missing in 1..<130 {
            let cut = try TestFile.read(bytes.dropLast(missing)).totals.cut
            #expect(cut?.offset == UInt64(bytes.count - missing))
        }
    }

    @Test(arguments: [4, 8])
    func `a big-endian host's trace is read`(longSize: Int) throws {
        let layout = PageLayout(order: .big, longSize: longSize)
        var page = TestPage(time: 100, layout: layout)
        page.record(TestRecord.eoi(vcpu: 0, vector: -1, order: .big))
        page.record(TestRecord.eoi(vcpu: 0, vector: 0x41, order: .big), delta: 9)
        var trace = TestTrace(cpus: [(0, [page.bytes()])])
        trace.order = .big
        trace.longSize = longSize
        for bytes in [trace.version7(), trace.version6()] {
            #expect(try TestFile.read(bytes).lines == ["100 cpu0 eoi -1", "109 cpu0 eoi 65"])
        }
    }

    @Test func `a buffer has its own page size`() throws {
        var trace = TestTrace(cpus: [(0, [page(1, 1, size: 16384).bytes(), page(9, 2, size: 16384).bytes()])])
        trace.pageSize = 16384
        #expect(try TestFile.read(trace.version7()).lines == ["1 cpu0 eoi 1", "9 cpu0 eoi 2"])
    }

    @Test func `a gap is reported where it begins, before anything after it`() throws {
        let trace = TestTrace(cpus: [
            (0, [page(100, 1).bytes(), page(200, 2).bytes(lost: 30), page(300, 3).bytes(lost: 0)]),
            (1, [page(50, 4).bytes(lost: 7), page(150, 5).bytes()]),
        ])
        let read = try TestFile.read(trace.version7())
        #expect(
            read.lines == [
                "lost 7 cpu1 ?-50", "50 cpu1 eoi 4", "100 cpu0 eoi 1", "lost 30 cpu0 100-200", "150 cpu1 eoi 5",
                "200 cpu0 eoi 2", "lost ? cpu0 200-300", "300 cpu0 eoi 3",
            ])
        #expect(read.totals.gaps.map(\.events) == [7, 30, nil])
    }

    @Test func `records of no use are counted and bound the gaps`() throws {
        var first = page(100, 1)
        first.record(TestRecord.other(), delta: 60)
        var second = TestPage(time: 200)
        second.record(TestRecord.other())
        second.record(TestRecord.eoi(vcpu: 0, vector: 2), delta: 5)
        let read = try TestFile.read(
            TestTrace(cpus: [(0, [first.bytes(), second.bytes(lost: 3)])]).version7())
        #expect(read.lines == ["100 cpu0 eoi 1", "lost 3 cpu0 160-200", "205 cpu0 eoi 2"])
        #expect(read.totals.byName == ["kvm_eoi": 2, "unknown-301": 2])
        #expect((read.totals.first, read.totals.last) == (100, 205))
    }

    @Test func `time that goes back keeps the recorded order and is noted`() throws {
        let trace = TestTrace(cpus: [
            (0, [page(500, 1).bytes(), page(100, 2, 3).bytes()]), (1, [page(400, 4, 5).bytes()]),
        ])
        let read = try TestFile.read(trace.version7())
        #expect(
            read.lines == [
                "400 cpu1 eoi 4", "410 cpu1 eoi 5", "500 cpu0 eoi 1", "100 cpu0 eoi 2", "110 cpu0 eoi 3",
            ])
        #expect(read.totals.notes.contains { $0.contains("time goes back") })
        let cut = try #require(read.totals.cut)
        #expect(cut.offset % 4096 == 0)
        #expect(cut.expected == "a page of CPU 0 that starts at 500 or later, not at 100")
    }

    @Test func `a page that contradicts itself is damage, and the next ones are read`() throws {
        var back = page(100, 1)
        back.timeStamp(40)
        back.record(TestRecord.eoi(vcpu: 0, vector: 2))
        let pages = [back.bytes(), page(200, 3).bytes(claimed: 0), page(300, 4).bytes()]
        func cut(_ pages: [[UInt8]]) throws -> TraceCut? {
            let read = try TestFile.read(TestTrace(cpus: [(0, pages)]).version7())
            #expect(read.lines.last == "300 cpu0 eoi 4")
            return read.totals.cut
        }
        #expect(try cut([pages[2]]) == nil)
        #expect(try cut([pages[0], pages[2]])?.expected == "a page of CPU 0 with stamps that don't go back")
        #expect(try cut([pages[1], pages[2]])?.expected == "a page of CPU 0 that is empty, as it says")
    }

    @Test func `damage in one CPU ends that CPU only`() throws {
        let trace = TestTrace(cpus: [
            (0, [page(100, 1).bytes(), page(200, 2).bytes(claimed: 5000), page(300, 3).bytes()]),
            (1, [page(400, 4).bytes()]),
        ])
        let read = try TestFile.read(trace.version7())
        #expect(read.lines == ["100 cpu0 eoi 1", "lost ? cpu0 100-?", "400 cpu1 eoi 4"])
        let cut = try #require(read.totals.cut)
        #expect(cut.offset % 4096 == 8)
        #expect(cut.expected == "a page of CPU 0 with at most 4080 bytes of records, not 5000")
    }

    @Test func `cycles of option sections end`() throws {
        let read = try TestFile.read(TestTrace(cpus: [(0, [page(1, 1).bytes()])]).version7(cycle: true))
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut?.expected == "an options section that was not read yet")
    }

    @Test func `CPUs that share bytes are damage`() throws {
        var bytes = TestTrace(cpus: [(0, [page(1, 1).bytes()]), (1, [page(2, 2).bytes()])]).version7()
        // The second CPU's offset becomes the first one's.
        let first = UInt64(4096)
        let needle = [UInt8](withUnsafeBytes(of: (first + 4096).littleEndian, Array.init))
        let place = try #require(bytes.ranges(of: needle).last)
        bytes.replaceSubrange(place, with: withUnsafeBytes(of: first.littleEndian, Array.init))
        let read = try TestFile.read(bytes)
        #expect(read.lines == ["1 cpu0 eoi 1"])
        #expect(read.totals.cut?.expected == "4096 bytes of CPU 1's data")
    }

    @Test func `each kind is taken from the instance with most kinds`() throws {
        let msr = TestRecord.format(
            "kvm_apic_ipi", id: 302, [("__u32 icr_low", 8, 4, 0), ("__u32 dest_id", 12, 4, 0)])
        func ipi(_ time: UInt64) -> TestPage {
            var page = page(time, 1)
            page.record(
                TestRecord.record(id: 302) {
                    $0.number(UInt32(0x41))
                    $0.number(UInt32(1))
                })
            return page
        }
        var trace = TestTrace()
        trace.formats.append(("kvm", msr))
        trace.buffers = [
            .init(name: "", cpus: [(0, [page(10, 7, 8, 9).bytes(lost: 5)])]),
            .init(name: "second", cpus: [(0, [ipi(11).bytes()])]),
        ]
        let read = try TestFile.read(trace.version7())
        #expect(
            read.lines == ["11 cpu0 eoi 1", "11 cpu0 apicIPI(TraceCore.KVMEvent.APICIPI(icrLow: 65, destination: 1))"])
        #expect(read.totals.byName == ["kvm_eoi": 4, "kvm_apic_ipi": 1])
        #expect(read.totals.gaps.map(\.instance) == [0])
        #expect(read.totals.notes.first == "the top buffer: counted; what it holds is taken from another buffer")
        #expect(read.totals.notes.last?.hasPrefix("buffer instance second: taken for") == true)
    }

    @Test func `statistics are summed over the CPUs`() throws {
        var trace = TestTrace(cpus: [(0, [page(1, 1).bytes()])])
        trace.options = [
            (2, Array("CPU: 0\nentries: 0\noverrun: 5\ncommit overrun: 1\ndropped events: 2\nread events: 9\n\0".utf8)),
            (2, Array("CPU: 1\noverrun: 10\ncommit overrun: 0\ndropped events: 0\n".utf8)),
        ]
        #expect(try TestFile.read(trace.version7()).totals.overrun == 18)
    }

    @Test func `statistics are those of the buffers that events are taken from`() throws {
        let ipi = TestRecord.format(
            "kvm_apic_ipi", id: 302, [("__u32 icr_low", 8, 4, 0), ("__u32 dest_id", 12, 4, 0)])
        var page = page(11, 1)
        page.record(
            TestRecord.record(id: 302) {
                $0.number(UInt32(0x41))
                $0.number(UInt32(1))
            })
        var trace = TestTrace()
        trace.formats.append(("kvm", ipi))
        trace.buffers = [
            .init(name: "", cpus: [(0, [self.page(10, 7).bytes()])]),
            .init(name: "second", cpus: [(0, [page.bytes()])]),
        ]
        trace.options = [
            (2, Array("CPU: 0\noverrun: 5\n".utf8)), (2, Array("Buffer: second\n".utf8)),
            (2, Array("CPU: 0\noverrun: 3\ndropped events: 1\n".utf8)),
        ]
        #expect(try TestFile.read(trace.version7()).totals.overrun == 4)
    }

    @Test func `losses that no name ties to a buffer that events are taken from count all the same`() throws {
        var trace = TestTrace()
        trace.buffers = [.init(name: "second", cpus: [(0, [page(11, 1).bytes()])])]
        trace.options = [(2, Array("CPU: 0\noverrun: 5\n".utf8)), (2, Array("CPU: 1\ndropped events: 1\n".utf8))]
        #expect(try TestFile.read(trace.version7()).totals.overrun == 6)
    }

    @Test(arguments: [("5", 1005), ("-5", 995), ("-0x5", 995), ("+5", 1005)] as [(String, UInt64)])
    func `an offset may take time back`(_ offset: String, _ time: UInt64) throws {
        var trace = TestTrace(cpus: [(0, [page(1000, 1).bytes()])])
        trace.options = [(7, Array(offset.utf8))]
        #expect(try TestFile.read(trace.version7()).totals.first == time)
    }

    @Test func `cycles become nanoseconds where the file says how, and its offset is added`() throws {
        var trace = TestTrace(cpus: [(0, [page(4000, 1).bytes(), page(8000, 2).bytes(lost: 1)])])
        trace.clock = "x86-tsc"
        #expect(try TestFile.read(trace.version7()).info.clock == TraceClock(name: "x86-tsc", unit: .ticks))
        var conversion = Bytes()
        conversion.number(UInt32(2))
        conversion.number(UInt32(3))
        conversion.number(UInt64(77))
        trace.options = [(14, conversion.bytes), (7, Array("5\0".utf8)), (1, Array("0x2\0".utf8))]
        let read = try TestFile.read(trace.version7())
        #expect(read.lines == ["3005 cpu0 eoi 1", "lost 1 cpu0 3005-4005", "4005 cpu0 eoi 2"])
        #expect((read.totals.first, read.totals.last) == (3005, 4005))
        #expect(read.info.clock == TraceClock(name: "x86-tsc", unit: .nanoseconds))
    }

    @Test func `a guest's vCPU threads, its host and symbols are reported`() throws {
        var trace = TestTrace(cpus: [(0, [page(1, 1).bytes()])])
        var guest = Bytes()
        guest.string("vm1")
        guest.number(UInt64(99))
        guest.number(UInt32(2))
        for number in [0, 4001, 1, 4002] as [UInt32] { guest.number(number) }
        var peer = Bytes()
        peer.number(UInt64(1234))
        var own = Bytes()
        own.number(UInt64(0xab))
        trace.options = [
            (11, own.bytes), (13, guest.bytes), (12, peer.bytes), (5, Array("Linux host 6.12.1 x86_64\0".utf8)),
        ]
        trace.symbols = "ffffffff81000000 T _text\nffffffffc0000000 t kvm_apic_update_hwapic_isr\t[kvm]\n"
        let read = try TestFile.read(trace.version7())
        #expect(read.info.guests == [GuestMap(name: "vm1", threads: [(0, 4001), (1, 4002)])])
        #expect(read.info.kernel == "Linux host 6.12.1 x86_64")
        #expect(read.info.symbols == KernelSymbols(hasKVM: true, hasUpdateHwapicISR: true))
        #expect(
            read.totals.notes == [
                "recorded on a host (trace id 0xab) together with its guests vm1 (vCPUs: 2): the file names their threads",
                "recorded inside a guest (trace id 0xab), together with its host (trace id 0x4d2): "
                    + "its clock is not corrected by the host's",
            ])
    }

    @Test func `a pipe is read as a file is`() throws {
        let bytes = TestTrace(cpus: [(0, [page(1, 1, 2).bytes()])]).version7()
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        try #require(bytes.count < 65536)
        _ = write(ends[1], bytes, bytes.count)
        close(ends[1])
        let read = try TestFile.read(Recording(descriptor: ends[0], name: "-"))
        #expect(read.lines == ["1 cpu0 eoi 1", "11 cpu0 eoi 2"])
    }

    @Test(arguments: [
        (Array("# tracer: nop\n#\n".utf8), ForeignFormat.text),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4], .packed(by: .xz)), (Array("BZh91AY".utf8), .packed(by: .bzip2)),
        ([0, 1, 2, 3], .unknown),
    ])
    func `other files are recognised`(bytes: [UInt8], format: ForeignFormat) {
        #expect(throws: InputError.foreign(file: "test.dat", format)) { try TestFile.read(bytes) }
    }

    @Test func `a killed recorder's piece is reported how to be restored`() throws {
        let piece = page(100, 1, 2).bytes() + page(200, 3).bytes()
        let error = #expect(throws: InputError.self) {
            try Recording(descriptor: TestFile.descriptor(piece), name: "host.dat.cpu3")
        }
        #expect(error?.description.contains("`trace-cmd restore -o host.dat host.dat.cpu*`") == true)
        let large = page(100, 1, 2, size: 16384).bytes()
        #expect(throws: InputError.foreign(file: "host.dat.cpu3", .rawPages(restored: "host.dat"))) {
            try Recording(descriptor: TestFile.descriptor(large), name: "host.dat.cpu3")
        }
        let empty = #expect(throws: InputError.empty(file: "host.dat.cpu0")) {
            try Recording(descriptor: TestFile.descriptor([]), name: "host.dat.cpu0")
        }
        #expect(empty?.description.contains("restore") == true)
    }

    @Test func `versions and compressions that are not known are named`() throws {
        var bytes = TestTrace().version7()
        bytes[10] = UInt8(ascii: "8")
        #expect(throws: InputError.unsupportedVersion(file: "test.dat", version: "8")) { try TestFile.read(bytes) }
        bytes[10] = UInt8(ascii: "7")
        bytes.replaceSubrange(18..<22, with: Array("lzma".utf8))
        #expect(throws: InputError.unsupportedCompression(file: "test.dat", name: "lzma")) {
            try TestFile.read(bytes)
        }
        #expect(throws: InputError.self) { try Recording(path: "/nonexistent/trace.dat") }
    }

    @Test func `a latency tracer's text is reported`() throws {
        var bytes = TestTrace(cpus: [(0, [page(1, 1).bytes()])]).version6()
        let tag = try #require(bytes.firstRange(of: Array("flyrecord".utf8)))
        bytes.replaceSubrange(tag, with: Array("latency  ".utf8))
        #expect(throws: InputError.textOnly(file: "test.dat")) { try TestFile.read(bytes) }
    }
}
