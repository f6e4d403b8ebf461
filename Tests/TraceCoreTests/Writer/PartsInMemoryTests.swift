// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Testing

@testable import TraceCore

/// Parts that were kept in memory and go to a file.
@Suite struct PartsInMemoryTests {
    private var info: TraceInfo {
        var info = TraceInfo(format: "live (BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 3)
        info.recordedKinds = EventKindSet(.exit, .entry, .eoi)
        info.eventsSelected = ["kvm_entry", "kvm_eoi", "kvm_exit"]
        return info
    }

    private func items(_ count: Int, seed: UInt64) -> [LiveTestSink.Item] {
        var random = TestRandom(seed: seed)
        return (0..<count).map { index in
            // Events of one kind that differ in their fields have formats of their own, which later parts add.
            let kind = EventKind.allCases[index * 7 / 400 % EventKind.allCases.count]
            let item: TraceItem = index % 11 == 0 ? .fact(.process(9)) : .event(TestEvents.event(kind, &random))
            return LiveTestSink.Item(
                item: item, stamp: EventStamp(time: 1000 + UInt64(index) * 10, cpu: Int32(random.next() % 3), tid: 7))
        }
    }

    private func write(_ items: [LiveTestSink.Item], parts: Int, pagesAtOnce: Int) throws -> TestRecording {
        try TestRecording(info) { file in
            let size = items.count / (parts + 1)
            var part = TraceWriter(memory: SpoolFile.unlinked(), info: info)
            for number in 0..<parts {
                for item in items[(number * size)..<((number + 1) * size)] { part.take(item.item, at: item.stamp) }
                part.end()
                let next = part.next(memory: SpoolFile.unlinked())
                while !file.take(pagesAtOnce, from: &part) {}
                part = next
            }
            // The rest comes to the file itself.
            for item in items[(parts * size)...] { file.take(item.item, at: item.stamp) }
            try file.finish(TraceTotals())
        }
    }

    @Test(arguments: [1, 3, .max])
    func `a file that takes parts holds what one for all would hold`(pagesAtOnce: Int) throws {
        let items = items(4000, seed: 5)
        let whole = try TestRecording(info) { writer in
            for item in items { writer.take(item.item, at: item.stamp) }
            try writer.finish(TraceTotals())
        }
        let taken = try write(items, parts: 5, pagesAtOnce: pagesAtOnce)
        #expect(try taken.items().map(\.withoutBorrowedStamp) == whole.items().map(\.withoutBorrowedStamp))
        #expect(try TestFile.read(Recording(path: taken.path)).totals.cut == nil)
    }

    @Test func `each event is there once, and gaps keep their numbers`() throws {
        let written = try TestRecording(info) { file in
            var part = TraceWriter(memory: SpoolFile.unlinked(), info: info)
            part.event(.eoi(.init(vcpu: 0, vector: 1)), at: EventStamp(time: 100, cpu: 1, tid: 7))
            let gap = EventGap(instance: 0, cpu: 1, from: 100, to: 200, events: 5)
            part.take(.lost(gap), at: gap.stamp)
            part.event(.eoi(.init(vcpu: 0, vector: 2)), at: EventStamp(time: 200, cpu: 1, tid: 7))
            part.commands[7] = "qemu"
            part.end()
            let isDone = file.take(.max, from: &part)
            #expect(isDone)
            file.event(.eoi(.init(vcpu: 0, vector: 3)), at: EventStamp(time: 300, cpu: 1, tid: 7))
            var totals = TraceTotals()
            totals.overrun = 5
            try file.finish(totals)
        }
        let read = try TestFile.read(Recording(path: written.path))
        #expect(read.lines == ["100 cpu1 eoi 1", "lost 5 cpu1 100-200", "200 cpu1 eoi 2", "300 cpu1 eoi 3"])
        #expect(read.totals.overrun == 5)
        #expect(try Recording(path: written.path).info.commands == [7: "qemu"])
    }

    @Test func `what was taken is there before the file is complete`() throws {
        let items = items(3000, seed: 9)
        let written = try TestRecording(info) { file in
            var part = TraceWriter(memory: SpoolFile.unlinked(), info: info)
            for item in items { part.take(item.item, at: item.stamp) }
            part.end()
            let answers = (file.take(2, from: &part), file.take(.max, from: &part))
            #expect(answers == (false, true))
        }
        let read = try written.items()
        #expect(read.count == items.count)
    }

    @Test func `a disk that is full ends the taking`() throws {
        var part = TraceWriter(memory: SpoolFile.unlinked(), info: info)
        part.event(.eoi(.init(vcpu: 0, vector: 1)), at: EventStamp(time: 100, cpu: 1, tid: 7))
        part.end()
        var file = try TraceWriter(path: "/dev/full", info: info)
        let isDone = file.take(.max, from: &part)
        #expect(isDone)
        let failure = file.failure
        #expect(failure?.reason == "No space left on device")
    }
}
