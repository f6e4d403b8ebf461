// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What the records of a perf.data mean.
@Suite struct PerfRecordTests {
    private func lines(_ perf: TestPerf) throws -> [String] { try TestFile.read(perf.file()).lines }

    @Test(arguments: [
        TestPerf.usual, TestPerf.usual.union([.address, .streamID, .id]), [.id, .time, .cpu, .raw], [.time, .raw],
        [.identifier, .tid, .time, .cpu, .raw],
    ])
    func `samples are read by the fields that they have`(fields: PerfAttribute.Fields) throws {
        var perf = TestPerf()
        perf.attributes[0].fields = fields
        perf.records = [perf.eoi(1, 10, cpu: 1), perf.eoi(2, 20, cpu: 1)]
        let cpu = fields.contains(.cpu) ? 1 : 0
        #expect(try lines(perf) == ["10 cpu\(cpu) eoi 1", "20 cpu\(cpu) eoi 2"])
    }

    @Test func `several attributes have layouts of their own`() throws {
        var perf = TestPerf()
        var profile = TestPerf.Attribute(type: 1, config: 0, ids: [2, 3])
        profile.fields = [.identifier, .ip, .tid, .time, .cpu, .callchain]
        perf.attributes.append(profile)
        perf.records = [
            perf.eoi(1, 10),
            perf.sample(
                [], at: TestPerf.Place(time: 15), of: 1,
                extra: [2, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 9, count: 16)),
            perf.eoi(2, 20),
        ]
        let read = try TestFile.read(perf.file())
        #expect(read.lines == ["10 cpu0 eoi 1", "20 cpu0 eoi 2"])
        #expect(read.totals.byName == ["kvm_eoi": 2, "cpu-clock": 1])
        #expect(read.totals.cut == nil)
    }

    @Test func `counters and call chains may lie before the event`() throws {
        var perf = TestPerf()
        perf.attributes[0].fields.formUnion([.read, .callchain])
        func extra(lost: UInt64, chain: UInt64) -> [UInt8] {
            var bytes = Bytes()
            for word in [UInt64(5), 1, lost, chain] { bytes.number(word) }
            return bytes.bytes + [UInt8](repeating: 0xee, count: 8 * Int(chain))
        }
        perf.records = [
            perf.sample(
                TestRecord.eoi(vcpu: 0, vector: 1), at: TestPerf.Place(time: 10), extra: extra(lost: 0, chain: 3)),
            perf.sample(
                TestRecord.eoi(vcpu: 0, vector: 2), at: TestPerf.Place(time: 20), extra: extra(lost: 4, chain: 0)),
        ]
        let read = try TestFile.read(perf.file())
        #expect(read.lines == ["10 cpu0 eoi 1", "20 cpu0 eoi 2"])
        #expect(read.totals.overrun == 4)
        #expect(read.totals.hasLostOfAnybody)
    }

    @Test func `a gap is told before the next event of its CPU, with where it began`() throws {
        var perf = TestPerf()
        perf.records = [
            perf.eoi(1, 10), perf.lost(9, at: TestPerf.Place(time: 30)), perf.eoi(2, 31), perf.eoi(3, 20, cpu: 1),
        ]
        let read = try TestFile.read(perf.file())
        #expect(read.lines == ["10 cpu0 eoi 1", "lost 9 cpu0 10-30", "20 cpu1 eoi 3", "31 cpu0 eoi 2"])
        #expect(read.totals.gapTotals.events == 9)
    }

    @Test func `perf's own count of what was lost is the recorder's statistics`() throws {
        var perf = TestPerf()
        perf.records = [
            perf.eoi(1, 10), perf.record(.lostSamples, at: TestPerf.Place()) { $0.number(UInt64(3)) },
            perf.record(.lostSamples, at: TestPerf.Place()) { $0.number(UInt64(4)) },
        ]
        let read = try TestFile.read(perf.file())
        #expect(read.totals.overrun == 7)
        #expect(read.totals.hasLostOfAnybody)
    }

    @Test func `a sample that stands for several events has a gap before it`() throws {
        var perf = TestPerf()
        perf.attributes[0].flags |= TestPerf.frequency
        perf.records = [perf.eoi(1, 10), perf.eoi(2, 20, period: 8)]
        #expect(
            try lines(perf) == ["10 cpu0 eoi 1", "lost 7 cpu0 10-20", "20 cpu0 eoi 2", "lost ? cpu0 20-?"])
        perf.attributes[0].flags = TestPerf.sampleIDAll
        perf.attributes[0].fields.remove(.period)
        perf.attributes[0].period = 5
        perf.records = [perf.eoi(1, 10)]
        #expect(try lines(perf) == ["lost 4 cpu0 ?-10", "10 cpu0 eoi 1"])
    }

    @Test func `an event that was asked for twice happens once`() throws {
        var perf = TestPerf()
        perf.attributes.append(TestPerf.Attribute(ids: [2]))
        perf.records = [perf.eoi(1, 10), perf.eoi(1, 11, of: 1)]
        let read = try TestFile.read(perf.file())
        #expect(read.lines == ["10 cpu0 eoi 1"])
        #expect(read.totals.byName == ["kvm_eoi": 2])
    }

    @Test func `threads are told with their processes and names`() throws {
        var perf = TestPerf()
        perf.records = [
            perf.comm("qemu", of: 7, process: 7), perf.task(.fork, 8, process: 7, parent: 7, at: 5), perf.eoi(1, 10),
            perf.task(.exit, 7, process: 7, parent: 7, at: 20), perf.task(.exit, 9, process: 9, parent: 7, at: 21),
        ]
        var file = try TestFile.open(perf.file())
        var sink = LiveTestSink()
        _ = try file.read(into: &sink)
        let facts = sink.items.compactMap { item -> String? in
            guard case .fact(let fact) = item.item else { return nil }
            switch fact {
            case .process(let process): return "\(item.stamp.tid) of \(process)"
            case .command(let command): return "\(item.stamp.tid) is \(command.text)"
            case .ended: return "\(item.stamp.tid) ends"
            default: return nil
            }
        }
        #expect(facts == ["7 is qemu", "8 is qemu", "7 of 7", "7 ends"])
    }

    @Test func `what has no use here is passed by its size`() throws {
        var perf = TestPerf()
        perf.records = [
            perf.eoi(1, 10), TestPerf.record(79) { $0.number(UInt64(1)) },
            TestPerf.record(71) {
                $0.number(UInt64(600_000))
                $0.bytes += [UInt8](repeating: 0, count: 32)
            } + [UInt8](repeating: 0xff, count: 600_000), perf.eoi(2, 20),
            perf.record(.sample, at: TestPerf.Place()) { _ in },
        ]
        perf.records.removeLast()
        let read = try TestFile.read(perf.file())
        #expect(read.lines == ["10 cpu0 eoi 1", "20 cpu0 eoi 2"])
        #expect(read.totals.cut == nil)
    }

    @Test func `what is no record ends the reading and is told`() throws {
        for bad in [[UInt8](repeating: 0, count: 8), TestPerf.record(4000) { _ in }] {
            var perf = TestPerf()
            perf.records = [perf.eoi(1, 10), bad, perf.eoi(2, 20)]
            let read = try TestFile.read(perf.file())
            #expect(read.lines == ["10 cpu0 eoi 1"])
            #expect(read.totals.cut?.expected == "a record")
        }
    }

    @Test func `samples of nobody and of another event's format are told`() throws {
        var perf = TestPerf()
        perf.attributes.append(TestPerf.Attribute(config: 301, ids: [2]))
        var stranger = TestPerf()
        stranger.attributes[0].ids = [99]
        perf.records = [
            stranger.eoi(1, 10), perf.sample(TestRecord.other(), at: TestPerf.Place(time: 11)), perf.eoi(3, 12),
        ]
        let read = try TestFile.read(perf.file())
        #expect(read.lines == ["12 cpu0 eoi 3"])
        #expect(read.totals.unknownRecords == 1)
        #expect(read.totals.shortRecords == 1)
    }

    @Test func `a record of the kernel's that doesn't end as one was something else`() throws {
        var perf = TestPerf()
        var sample = perf.eoi(5, 10)
        sample[0] = 1
        perf.records = [sample, perf.eoi(2, 20)]
        #expect(try TestFile.read(perf.file()).totals.unknownRecords == 1)
    }

    @Test func `perf that recorded some threads or CPUs alone says so`() throws {
        var perf = TestPerf()
        func index(cpu: UInt64, thread: Int64) -> [UInt8] {
            TestPerf.record(69) {
                for word in [1, 1, 0, cpu, UInt64(bitPattern: thread)] { $0.number(word) }
            }
        }
        perf.records = [index(cpu: 0, thread: -1), perf.eoi(1, 10)]
        #expect(try TestFile.read(perf.file()).totals.notes == ["perf recorded CPU 0 of 2 CPUs"])
        perf.records = [index(cpu: 0, thread: 77), index(cpu: 1, thread: 77), perf.eoi(1, 10)]
        #expect(try TestFile.read(perf.file()).totals.notes.first?.hasPrefix("perf recorded one process") == true)
    }

    @Test func `of a group whose leader is sampled the others are counted`() throws {
        var perf = TestPerf()
        perf.formats.append(("kvm", TestRecord.format("kvm_entry", id: 302, [("unsigned int vcpu_id", 8, 4, 0)])))
        perf.attributes[0].fields.insert(.read)
        perf.attributes[0].counter = [.id, .group]
        perf.attributes.append(TestPerf.Attribute(config: 302, period: 0, ids: [2]))
        func group(_ member: UInt64) -> [UInt8] {
            var bytes = Bytes()
            for word in [2, 1, 1, member, 2] { bytes.number(UInt64(word)) }
            return bytes.bytes
        }
        let eoi = TestRecord.eoi(vcpu: 0, vector: 1)
        perf.records = [10, 20, 30].map { time in
            perf.sample(eoi, at: TestPerf.Place(time: time), extra: group(time == 30 ? 2 : time / 10))
        }
        let read = try TestFile.read(perf.file())
        #expect(read.totals.byName == ["kvm_eoi": 3, "kvm_entry": 2])
        #expect(read.info.recordedKinds == EventKindSet(.eoi))
        #expect(read.totals.notes.first?.hasPrefix("counted by perf and not recorded: kvm_entry") == true)
    }

    // MARK: - What is refused

    @Test func `a profile is refused with the line that records KVM's events`() throws {
        var perf = TestPerf()
        perf.attributes[0].type = 0
        let error = #expect(throws: InputError.foreign(file: "test.dat", .profile)) { try TestFile.read(perf.file()) }
        #expect(error?.description.contains("`perf record -a -e 'kvm:*' -e 'kvmmmu:*'`") == true)
    }

    @Test func `perf that was killed is told from one that ended, and from a pipe`() throws {
        var perf = TestPerf()
        perf.records = [perf.eoi(1, 10)]
        #expect(throws: InputError.foreign(file: "test.dat", .unfinishedPerfData)) {
            try TestFile.read(perf.file(isKilled: true))
        }
        #expect(try TestFile.read(perf.pipe()).lines == ["10 cpu0 eoi 1"])
    }

    @Test func `another machine's recording is named`() throws {
        var perf = TestPerf()
        perf.machine = "aarch64"
        perf.records = [perf.eoi(1, 10)]
        #expect(throws: InputError.foreign(file: "test.dat", .otherArchitecture(machine: "aarch64"))) {
            try TestFile.read(perf.file())
        }
        #expect(throws: InputError.foreign(file: "test.dat", .otherArchitecture(machine: nil))) {
            try TestFile.read(PerfContainer.reversedMagic + [UInt8](repeating: 0, count: 96))
        }
        perf.machine = "x86_64"
        perf.formats = [("kvm", TestRecord.format("kvm_exit", id: 300, [("unsigned long vcpu_pc", 8, 8, 0)]))]
        #expect(throws: InputError.foreign(file: "test.dat", .otherArchitecture(machine: "aarch64"))) {
            try TestFile.read(perf.pipe())
        }
    }
}
