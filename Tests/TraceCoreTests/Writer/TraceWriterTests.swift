// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Testing

@testable import TraceCore

@Suite struct TraceWriterTests {
    private var info: TraceInfo {
        var info = TraceInfo(
            format: "live (BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 4)
        info.kernel = "6.12.1 #1 SMP"
        info.recordedKinds = EventKindSet(.exit, .entry, .eoi, .apicvInhibitChanged)
        info.eventsSelected = ["kvm_apicv_inhibit_changed", "kvm_entry", "kvm_eoi", "kvm_exit"]
        info.inhibitNames = ["DISABLED", "HYPERV", "ABSENT"]
        info.commands = [7: "qemu-system-x86", 8: "CPU 0/KVM"]
        info.sviFix = FixState(state: .absent, basis: .btf, evidence: "nested_vmx has no update_vmcs01_hwapic_isr")
        return info
    }

    private func eoi(_ vector: Int32) -> KVMEvent { .eoi(.init(vcpu: 0, vector: vector)) }

    private func stamp(_ time: UInt64, cpu: Int32 = 0, tid: Int32 = 7) -> EventStamp {
        EventStamp(time: time, cpu: cpu, tid: tid)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `whatever is written comes back`(seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        var time: UInt64 = 1 << 40
        var items: [LiveTestSink.Item] = []
        for index in 0..<6000 {
            // Steps up to beyond what 27, and what 59 bits hold.
            time += 1 + random.next() >> (index % 1000 == 999 ? 3 : 24 + random.next() % 40)
            if time > 1 << 62 { time &= 1 << 62 - 1 }
            let stamp = stamp(
                time, cpu: Int32(random.next() % 3), tid: Int32(truncatingIfNeeded: random.next() >> 33))
            let kind = EventKind.allCases[index % EventKind.allCases.count]
            items.append(
                LiveTestSink.Item(
                    item: index % 7 == 0
                        ? .fact(TestEvents.fact(&random)) : .event(TestEvents.event(kind, &random)), stamp: stamp))
        }
        items.sort { left, right in left.stamp.time < right.stamp.time }
        let written = try TestRecording(info) { writer in
            for item in items { writer.take(item.item, at: item.stamp) }
            try writer.finish(TraceTotals())
        }
        let read = try written.items()
        #expect(read.count == items.count)
        #expect(read.map(\.withoutBorrowedStamp) == items.map(\.withoutBorrowedStamp))
    }

    @Test func `a trace says of itself what it was reported`() throws {
        let written = try TestRecording(info) { writer in
            writer.event(eoi(0x41), at: stamp(10))
            writer.commands[9] = "CPU 1/KVM"
            var totals = TraceTotals()
            totals.overrun = 12
            try writer.finish(totals, hits: ["kvm_eoi": 900, "kvm_exit": 0, "kvm_entry": 3])
        }
        var file = try Recording(path: written.path)
        #expect(file.info.format == "trace.dat v7")
        #expect(file.info.kernel == "6.12.1 #1 SMP")
        #expect(file.info.clock == TraceClock(name: "mono", unit: .nanoseconds))
        #expect(file.info.cpus == 4)
        #expect(file.info.recordedKinds == info.recordedKinds)
        #expect(file.info.eventsSelected == info.eventsSelected)
        #expect(file.info.inhibitNames == info.inhibitNames)
        #expect(file.info.commands == [7: "qemu-system-x86", 8: "CPU 0/KVM", 9: "CPU 1/KVM"])
        #expect(file.info.sviFix == info.sviFix)
        var sink = TestSink()
        let totals = try file.read(into: &sink)
        #expect(sink.lines == ["10 cpu0 eoi 65"])
        #expect(
            totals.byName == ["kvm_eoi": 900, "kvm_exit": 0, "kvm_entry": 3, "kvm_apicv_inhibit_changed": 0])
        #expect(totals.overrun == 12)
        #expect(totals.cut == nil)
        #expect(totals.notes == [])
    }

    @Test func `gaps are reported where they were`() throws {
        let written = try TestRecording(info) { writer in
            writer.event(eoi(1), at: stamp(100))
            writer.event(eoi(2), at: stamp(110, cpu: 1))
            writer.lost(EventGap(instance: 0, cpu: 0, from: 100, to: 300, events: 5))
            writer.event(eoi(3), at: stamp(200))
            writer.lost(EventGap(instance: 0, cpu: 0, from: 210, to: 400, events: nil))
            writer.event(eoi(4), at: stamp(220, cpu: 1))
            writer.event(eoi(5), at: stamp(400))
            writer.lost(EventGap(instance: 0, cpu: 1, from: 220, to: 500, events: 7))
            var totals = TraceTotals()
            totals.overrun = 20
            try writer.finish(totals)
        }
        let read = try TestFile.read(Recording(path: written.path))
        #expect(
            read.lines == [
                "100 cpu0 eoi 1", "lost 5 cpu0 100-200", "110 cpu1 eoi 2", "200 cpu0 eoi 3", "lost ? cpu0 200-400",
                "220 cpu1 eoi 4", "lost 7 cpu1 220-500", "400 cpu0 eoi 5",
            ])
        #expect(read.totals.overrun == 20)
    }

    @Test func `a gap in a process's events is an event`() throws {
        let gaps = [
            EventGap(instance: 0, cpu: 1, process: 100, from: 110, to: 300, events: 5),
            EventGap(instance: 0, cpu: 1, process: 200, from: 120, to: nil, events: 1 << 40),
        ]
        let written = try TestRecording(info) { writer in
            writer.event(eoi(1), at: stamp(100))
            for gap in gaps { writer.lost(gap) }
            writer.event(eoi(2), at: stamp(200, cpu: 1))
            var totals = TraceTotals()
            totals.overrun = 5 + 1 << 40
            try writer.finish(totals)
        }
        let rewritten = try TestRecording(rewriting: written.path)
        for path in [written.path, rewritten.path] {
            let read = try TestFile.read(Recording(path: path))
            #expect(
                read.lines == [
                    "100 cpu0 eoi 1", "lost 5 cpu1 110-300 process 100",
                    "lost 1099511627776 cpu1 120-? process 200", "200 cpu1 eoi 2",
                ])
            #expect(read.totals.gaps == gaps)
            #expect(read.totals.overrun == 5 + 1 << 40)
            #expect(!read.totals.hasLostOfAnybody)
            #expect(read.totals.byName["lost"] == nil)
        }
        withExtendedLifetime(rewritten) {}
        withExtendedLifetime(written) {}
    }

    @Test func `time that goes back starts a page`() throws {
        let written = try TestRecording(info) { writer in
            for (index, time) in [100, 90, 95, 1].enumerated() {
                writer.event(eoi(Int32(index)), at: stamp(UInt64(time)))
            }
            try writer.finish(TraceTotals())
        }
        let read = try TestFile.read(Recording(path: written.path))
        #expect(read.lines == ["100 cpu0 eoi 0", "90 cpu0 eoi 1", "95 cpu0 eoi 2", "1 cpu0 eoi 3"])
    }

    @Test func `a recording without events is whole`() throws {
        let written = try TestRecording(info) { writer in try writer.finish(TraceTotals()) }
        let read = try TestFile.read(Recording(path: written.path))
        #expect(read.lines == [])
        #expect(read.totals.cut == nil)
        #expect(read.info.recordedKinds == info.recordedKinds)
    }

    @Test func `a file that can't be created is an error`() throws {
        #expect(throws: TraceWriterError.self) { _ = try TraceWriter(path: "/nonexistent/trace.dat", info: info) }
    }

    @Test func `a disk that is full is an error at the end`() throws {
        var writer = try TraceWriter(path: "/dev/full", info: info)
        writer.event(eoi(1), at: stamp(100))
        do {
            try writer.finish(TraceTotals())
            Issue.record("the file was written")
        } catch {
            #expect(error.description == "/dev/full: can't be written: No space left on device")
        }
    }
}

extension LiveTestSink.Item {
    /// What is of a thread, or of a time, alone takes the rest of its stamp from the record beside it.
    var withoutBorrowedStamp: Self {
        switch item {
        case .fact(.process), .fact(.exits), .fact(.command):
            Self(item: item, stamp: EventStamp(time: 0, cpu: 0, tid: stamp.tid))
        case .fact(.tick): Self(item: item, stamp: EventStamp(time: stamp.time, cpu: 0, tid: 0))
        case .event, .lost, .fact: self
        }
    }
}
