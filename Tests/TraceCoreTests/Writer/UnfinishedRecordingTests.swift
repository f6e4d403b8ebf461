// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import TraceCore

/// Recordings whose recorder was killed: what lies in the file after a ``TraceWriter/save(hits:)``, or later.
@Suite struct UnfinishedRecordingTests {
    private var info: TraceInfo {
        var info = TraceInfo(format: "live (BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 3)
        info.kernel = "6.12.1 #1 SMP"
        info.recordedKinds = EventKindSet(.eoi)
        info.eventsSelected = ["kvm_eoi"]
        info.sviFix = FixState(state: .absent, basis: .btf, evidence: "no update_vmcs01_hwapic_isr")
        return info
    }

    private func eoi(_ number: Int) -> KVMEvent { .eoi(.init(vcpu: 0, vector: Int32(number))) }

    /// One event after the other on three CPUs, in bursts of different length.
    private func stamp(_ number: Int) -> EventStamp {
        EventStamp(time: UInt64(1000 + 10 * number), cpu: Int32(number / 70 % 3), tid: 7)
    }

    private func line(_ number: Int) -> String { "\(1000 + 10 * number) cpu\(number / 70 % 3) eoi \(number)" }

    @Test func `everything up to the last save is there at any time`() throws {
        let written = try TestRecording(info) { writer in
            writer.command("qemu-system-x86", of: 7)
            var saved = 0
            for number in 0..<5000 {
                writer.event(eoi(number), at: stamp(number))
                guard number % 617 == 616 else { continue }
                writer.save(hits: ["kvm_eoi": UInt64(number + 1)])
                saved = number + 1
                let read = try TestFile.read(TestFile.bytes(of: writer.file.name))
                #expect(read.lines.filter { !$0.hasPrefix("lost") } == (0..<saved).map(line))
                // Never taken for a whole one.
                #expect(read.totals.cut?.expected == "the end of the recording")
                #expect(read.totals.notes.count == 1)
                #expect(read.totals.byName["kvm_eoi"] == UInt64(saved))
                #expect(read.info.sviFix == info.sviFix)
                #expect(read.info.kernel == info.kernel)
            }
            #expect(saved > 4000)
            try writer.finish(TraceTotals())
        }
        let read = try TestFile.read(Recording(path: written.path))
        #expect(read.totals.cut == nil)
        #expect(read.lines == (0..<5000).map(line))
    }

    @Test func `a name that was reported is there without the saved command lines`() throws {
        try withUnfinished { bytes, _ in
            var sink = LiveTestSink()
            var file = try TestFile.open(bytes)
            _ = try file.read(into: &sink)
            #expect(sink.items.contains { $0.item == .fact(.command(Comm("qemu-system-x86"))) })
        }
    }

    @Test func `a page that was on its way is read once`() throws {
        try withUnfinished { bytes, plan in
            let size = PageBuilder.pageSize
            let scratch = Int(plan.data - PageStore.scratchSize)
            let (first, third) = (Int(plan.data), Int(plan.data) + 2 * size)
            var moved = bytes
            moved.replaceSubrange(scratch..<(scratch + size), with: bytes[third..<(third + size)])
            try #expect(TestFile.read(moved).lines == TestFile.read(bytes).lines)
            // And one whose place was taken already.
            moved.replaceSubrange(third..<(third + size), with: bytes[first..<(first + size)])
            try #expect(TestFile.read(moved).lines == TestFile.read(bytes).lines)
        }
    }

    @Test func `labels that can't be harm nobody`() throws {
        try withUnfinished { bytes, plan in
            let label = Int(plan.data) + PageBuilder.pageSize - PageLabel.size
            for word in [8, 12] {
                var odd = bytes
                odd.replaceSubrange((label + word)..<(label + word + 4), with: [0xff, 0xff, 0xff, 0x7f])
                try #expect(TestFile.read(odd).totals.cut != nil)
            }
        }
    }

    @Test func `what a file held stays until there is something to write`() throws {
        let path = "/tmp/apictrace-test-\(getpid())-kept"
        defer { unlink(path) }
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        _ = write(descriptor, "precious", 8)
        close(descriptor)
        do { _ = try TraceWriter(path: path, info: info) }
        try #expect(TestFile.bytes(of: path) == Array("precious".utf8))
    }

    @Test func `two recordings don't share a file`() throws {
        let written = try TestRecording(info) { writer in
            #expect(throws: TraceWriterError.self) { _ = try TraceWriter(path: writer.file.name, info: info) }
            try writer.finish(TraceTotals())
        }
        #expect(try TestFile.read(Recording(path: written.path)).totals.cut == nil)
    }

    @Test func `a file that was removed meanwhile is an error`() throws {
        _ = try TestRecording(info) { writer in
            writer.event(eoi(1), at: stamp(1))
            writer.save()
            unlink(writer.file.name)
            let error = #expect(throws: TraceWriterError.self) { try writer.finish(TraceTotals()) }
            #expect(error?.description.hasSuffix("removed while it was written") == true)
        }
    }

    @Test func `a name with a line break makes no other line`() throws {
        let written = try TestRecording(info) { writer in
            writer.command("A\n77 evil", of: 7)
            writer.event(eoi(1), at: stamp(1))
            try writer.finish(TraceTotals())
        }
        #expect(try Recording(path: written.path).info.commands == [7: "A\\x0a77 evil"])
    }

    /// The bytes of a recording that was saved and not finished.
    private func withUnfinished(_ body: ([UInt8], RecordingPlan) throws -> Void) throws {
        _ = try TestRecording(info) { writer in
            writer.command("qemu-system-x86", of: 7)
            for number in 0..<3000 { writer.event(eoi(number), at: stamp(number)) }
            writer.save()
            try body(TestFile.bytes(of: writer.file.name), writer.plan)
        }
    }
}
