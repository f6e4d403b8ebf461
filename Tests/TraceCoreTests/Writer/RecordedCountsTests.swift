// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Hits that live tracing counted in the kernel, by tracepoint, through a recording.
@Suite struct RecordedCountsTests {
    private var info: TraceInfo {
        var info = TraceInfo(format: "live (BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 1)
        info.recordedKinds = EventKindSet(.entry, .eoi, .nestedVMEnter)
        info.eventsSelected = ["kvm_entry", "kvm_eoi", "kvm_nested_vmrun"]
        return info
    }

    private func recording(_ saves: [[String: UInt64]]) throws -> [UInt8] {
        let written = try TestRecording(info) { writer in
            for (index, hits) in saves.enumerated() {
                writer.event(.eoi(.init(vcpu: 0, vector: 1)), at: EventStamp(time: UInt64(100 + index), cpu: 0, tid: 7))
                writer.save(hits: hits)
            }
            try writer.finish(TraceTotals(), hits: saves.last)
        }
        return try TestFile.bytes(of: written.path)
    }

    /// The bytes with one name for another of the same length, wherever it stands.
    private func renaming(_ name: String, to other: String, in bytes: [UInt8]) -> [UInt8] {
        let (old, new) = (Array(name.utf8), Array(other.utf8))
        var bytes = bytes
        while let range = bytes.firstRange(of: old) { bytes.replaceSubrange(range, with: new) }
        return bytes
    }

    @Test func `the last count of each tracepoint is that of the trace`() throws {
        let read = try TestFile.read(
            recording([
                ["kvm_eoi": 3, "kvm_entry": 40], ["kvm_eoi": 9, "kvm_entry": 40], ["kvm_eoi": 12, "kvm_entry": 41],
            ]))
        #expect(read.totals.byName == ["kvm_eoi": 12, "kvm_entry": 41, "kvm_nested_vmrun": 0])
    }

    @Test func `a count has the name that the kernel has for the tracepoint`() throws {
        let read = try TestFile.read(recording([["kvm_nested_vmenter": 5]]))
        #expect(read.totals.byName == ["kvm_eoi": 0, "kvm_entry": 0, "kvm_nested_vmrun": 5])
    }

    @Test func `a tracepoint that the reader doesn't know is counted, and the others are too`() throws {
        let bytes = try recording([["kvm_eoi": 900, "kvm_entry": 3]])
        let read = try TestFile.read(renaming("kvm_eoi", to: "kvm_new", in: bytes))
        #expect(read.totals.byName == ["kvm_new": 900, "kvm_entry": 3, "kvm_nested_vmrun": 0])
        #expect(read.totals.cut == nil)
    }

    @Test func `a recording counts no more names than a trace can have events`() throws {
        var delivery = EventDelivery(
            decoder: EventDecoder(order: .little, bindings: []), own: [try #require(OwnBinding(counts))], others: 0,
            conversion: ClockConversion(), takenFrom: [])
        for number in 0..<1000 {
            let name = Array("event\(number)".utf8)
            let bytes = TestRecord.record(id: 1) { record in
                record.bytes += name + [UInt8](repeating: 0, count: OwnEvent.longestTracepoint - name.count)
                record.number(UInt64(number))
            }
            _ = try bytes.withUnsafeBytes { delivery.fact(try #require(Record($0)), binding: 0) }
        }
        #expect(delivery.hits.count == RecordTally.mostBindings)
        #expect(delivery.hits["event7"] == 7)
    }

    /// The format of a record of counts.
    private var counts: EventFormat {
        get throws { try #require(EventFormat(text: RecordFormat(.counts, id: 1).text)) }
    }

    /// Made when a record of counts had a field for each tracepoint, and kvm_cr was not among them.
    @Test func `counts of older versions are read`() throws {
        let path = TestFile.fixture("live/6.12.117/fixed-x-parked.dat.zst")
        let hits = try TestFile.read(Recording(path: path)).totals.byName
        #expect(hits["kvm_entry"] == 3322)
        #expect(hits["kvm_apic"] == 4)
        #expect(hits["kvm_mmu_set_spte"] == 23)
        #expect(hits["kvm_cr"] == nil)
    }
}
