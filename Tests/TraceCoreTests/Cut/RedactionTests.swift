// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What tells of a guest and its owner is not in a redacted part, and what a grade rests on still is.
@Suite struct RedactionTests {
    private static let hostile = [
        "</script><b>x", "quo\"te'd", "bidi\u{202e}mark", "esc\u{1b}[31mape", "a command", "host-of-bob",
    ]
    private static let addresses: [UInt64] = [0xffff_ffff_8123_4567, 0xffff_ffff_8123_4578, 0x1_2345_6780]

    /// A recording of ours whose names are these, with an exit at each address.
    private func recording() throws -> TestRecording {
        var info = TraceInfo(format: "live (BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 1)
        info.recordedKinds = EventKindSet(.entry, .exit, .mmio)
        info.kernel = "Linux host-of-bob 6.1.0-55-amd64 x86_64"
        info.sviFix = FixState(state: .absent, basis: .btf, evidence: "nested_vmx has no update_vmcs01_hwapic_isr")
        info.commands = [7: Self.hostile[0], 8: Self.hostile[1], 9: Self.hostile[2], 10: "vhost-7"]
        info.guests = [GuestMap(name: Self.hostile[4], threads: [(vcpu: 0, tid: 7)])]
        return try TestRecording(info) { writer in
            var time: UInt64 = 1000
            func stamp(tid: Int32 = 7) -> EventStamp {
                time += 1000
                return EventStamp(time: time, cpu: 0, tid: tid)
            }
            writer.take(.fact(.command(Comm(Self.hostile[3]))), at: stamp(tid: 11))
            for address in Self.addresses + Self.addresses {
                writer.event(.entry(.init(vcpu: 0, rip: address)), at: stamp())
                writer.event(.exit(.init(reason: 48, isa: 1, vcpu: 0, rip: address, info1: 0, info2: 0)), at: stamp())
            }
            writer.event(.mmio(.init(type: 2, length: 4, gpa: 0xfee0_00b0, value: 0x5a)), at: stamp())
            writer.event(.mmio(.init(type: 2, length: 4, gpa: 0xfed0_0010, value: 0x1357_9bdf)), at: stamp())
            try writer.finish(TraceTotals())
        }
    }

    private func everything(isRedacted: Bool) -> CutRequest {
        var request = CutRequest()
        request.window = 0...(.max)
        request.isRedacted = isRedacted
        return request
    }

    private func bytes(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }

    @Test func `no name and no address of the whole is in the bytes of the part`() throws {
        let whole = try recording()
        let content = try TestPart(of: whole.path, everything(isRedacted: true)).bytes()
        let open = try TestPart(of: whole.path, everything(isRedacted: false)).bytes()
        for name in Self.hostile {
            #expect(content.firstRange(of: Array(name.utf8)) == nil, "\(name)")
            // As it is written among the saved command lines.
            #expect(content.firstRange(of: Array(name.printable.utf8)) == nil, "\(name)")
            #expect(open.firstRange(of: Array(name.printable.utf8)) != nil, "\(name)")
        }
        for number in Self.addresses + [0xfed0_0010, 0x1357_9bdf] {
            #expect(content.firstRange(of: bytes(number)) == nil, "\(number)")
            #expect(open.firstRange(of: bytes(number)) != nil, "\(number)")
        }
    }

    @Test func `the same stands for the same, another for another, and the APIC stays`() throws {
        let whole = try recording()
        let part = try TestPart(of: whole.path, everything(isRedacted: true))
        var file = try Recording(path: part.path)
        var sink = LiveTestSink()
        _ = try file.read(into: &sink)
        var (places, pages): ([UInt64], [UInt64]) = ([], [])
        for item in sink.items {
            switch item.item {
            case .event(.exit(let exit)): places.append(exit.rip)
            case .event(.mmio(let access)): pages.append(access.gpa)
            default: break
            }
        }
        #expect(places.count == 6)
        #expect(places[..<3] == places[3...])
        #expect(Set(places).count == 3)
        // Two instructions of one page.
        #expect(places[0] >> 12 == places[1] >> 12)
        #expect(places[0] >> 12 != places[2] >> 12)
        #expect(pages[0] == 0xfee0_00b0)
        #expect(file.info.kernel == "Linux host 6.1.0-55-amd64")
        #expect(file.info.sviFix?.state == .absent)
        #expect(file.info.commands[10] == "vhost-7")
        #expect(file.info.guests.first?.name.hasPrefix("guest-") == true)
    }

    @Test func `hostile names stay text in a part that keeps them`() throws {
        let whole = try recording()
        let part = try TestPart(of: whole.path, everything(isRedacted: false))
        let commands = try Recording(path: part.path).info.commands
        let expected = try Recording(path: whole.path).info.commands
        #expect(commands == expected)
        #expect(commands[7] == Self.hostile[0])
        for scalar in commands.values.joined().unicodeScalars {
            #expect(!scalar.properties.isBidiControl && scalar.value >= 32)
        }
    }

    @Test(arguments: ["intel/6.12.107/nofix-hooked-only", "intel/6.1.192/passthrough-2v"])
    func `a redacted part gives the finding its grade, vectors and crossings`(name: String) throws {
        let recording = BundledRecording(name: name)
        let finding = try #require(try recording.report().findings.first)
        var request = CutRequest()
        request.finding = finding.id
        request.isRedacted = true
        let part = try TestPart(of: recording.path, request)
        let report = try part.report()
        let twin = try #require(report.findings.first { $0.rule == finding.rule && $0.vcpu == finding.vcpu })
        #expect(twin.grade == finding.grade)
        #expect(twin.vectors == finding.vectors)
        #expect(twin.crossings == finding.crossings)
        #expect(report.limits.contains { $0.contains("names and addresses in it are replaced") })
        let content = try part.bytes()
        for command in Set(try Recording(path: recording.path).info.commands.values) where command.utf8.count > 4 {
            #expect(content.firstRange(of: Array(command.utf8)) == nil, "\(command)")
        }
    }
}
