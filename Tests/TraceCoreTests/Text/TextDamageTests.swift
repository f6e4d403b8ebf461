// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Testing

@testable import TraceCore

/// Texts that are cut, that have other bytes than they should, and that are none.
@Suite struct TextDamageTests {
    /// With losses that show, in the two layouts that are most unlike each other.
    private static let losses: [(path: String, layout: TextTwin.Layout)] = [
        (TestFile.fixture("intel/6.1.192/stale-svi.dat"), .report),
        (TestFile.fixture("intel/6.12.107/nofix-hooked-only.dat"), .perf),
        (TestFile.fixture("intel/6.1.192/nofix-stale-svi.dat"), .tracefs),
    ]

    private func verdict(_ bytes: [UInt8]) -> Grade? {
        guard var file = try? TestFile.open(bytes) else { return nil }
        var analysis = Analysis(info: file.info)
        guard let totals = try? file.read(into: &analysis) else { return nil }
        analysis.finish()
        return ReportBuilder(analysis, totals: totals, path: nil).report().verdict
    }

    @Test(arguments: 0..<losses.count)
    func `a text that is cut anywhere tells no more than is in it`(index: Int) throws {
        let (path, layout) = Self.losses[index]
        let bytes = Array(try TextTwin(of: path).text(layout).utf8)
        let whole = try TestFile.read(bytes)
        for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 24)) {
            guard let read = try? TestFile.read(bytes.prefix(count)) else { continue }
            // The last event may lack what comes behind the cut.
            let known = read.lines.dropLast()
            #expect(known.elementsEqual(whole.lines.prefix(known.count)), "cut at \(count)")
        }
    }

    /// Whatever one byte is changed to: a loss that is left is told, or it is told that something can't be read.
    @Test(arguments: 0..<losses.count)
    func `damage never makes a text with a loss clean`(index: Int) throws {
        let (path, layout) = Self.losses[index]
        let bytes = Array(try TextTwin(of: path).text(layout).utf8)
        #expect(try #require(verdict(bytes)) >= .hazard)
        var random = TestRandom(seed: UInt64(index))
        for round in 0..<24 {
            var damaged = bytes
            let place = Int(random.next() % UInt64(bytes.count))
            switch round % 4 {
            case 0: damaged[place] ^= 1 << UInt8(random.next() % 8)
            case 1: damaged[place] = UInt8(truncatingIfNeeded: random.next())
            case 2: damaged.remove(at: place)
            default: damaged.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            }
            guard let grade = verdict(damaged) else { continue }
            #expect(grade != .clean, "round \(round), byte \(place)")
        }
    }

    @Test func `random bytes and random lines are no trace and no trap`() throws {
        var random = TestRandom(seed: 3)
        let words = [
            "kvm_exit:", "kvm:kvm_entry:", "[001]", "1.5:", "reason", "HLT", "rip", "0x", "-", "info", "\n", "\n",
            "vcpu", "0", " ",
            "CPU:1", "[LOST", "EVENTS]", "#", "...", "=", "=3D", "=\n", ":", "<", ">", "(", "\u{a0}",
            "PERF_RECORD_LOST", "lost", "us+:",
        ]
        for round in 0..<400 {
            if round % 4 == 0 {
                _ = verdict((0..<2000).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            } else {
                let text = (0..<300).map { _ in words[Int(random.next() % UInt64(words.count))] }
                _ = verdict(Array(text.joined(separator: random.next() & 1 == 0 ? " " : "").utf8))
            }
        }
    }

    @Test(arguments: [
        UInt8(ascii: "a"), UInt8(ascii: ":"), UInt8(ascii: " "), UInt8(ascii: ">"), UInt8(ascii: "0"), 0x0d, 0xc2,
    ])
    func `a line of a megabyte is passed over`(byte: UInt8) throws {
        let long = [UInt8](repeating: byte, count: 1 << 20)
        let event = Array(" qemu-7 [001] 1.000000: kvm_eoi: apicid 0 vector 97\n".utf8)
        let behind = Array("\n qemu-7 [001] 1.000001: kvm_eoi: apicid 0 vector 98\n".utf8)
        let read = try TestFile.read(event + long + behind)
        #expect(read.lines == ["1000000000 cpu1 eoi 97", "1000001000 cpu1 eoi 98"])
        #expect(read.totals.byName["kvm_eoi"] == 2)
    }

    @Test func `a line of a megabyte that is an event is one`() throws {
        let text = " qemu-7 [001] 1.000000: kvm_eoi: apicid 0 vector 97 " + String(repeating: "x: ", count: 350_000)
        let read = try TestFile.read(text.utf8)
        #expect(read.lines == ["1000000000 cpu1 eoi 97"])
    }

    @Test func `events of any number of names are counted`() throws {
        let names = 100_000
        let lines = (0..<names).map { " qemu-7 [001] 1.000000: event_\($0): x" }
        let read = try TestFile.read(
            (lines + [" qemu-7 [001] 1.000000: kvm_eoi: apicid 0 vector 97"]).joined(separator: "\n").utf8)
        #expect(read.totals.byName.values.reduce(0, +) == UInt64(names) + 1)
        #expect(read.totals.byName.count <= 8193)
        #expect(read.totals.byName["unknown"] ?? 0 > 90_000)
    }

    /// KVM's own are told apart although others were first.
    @Test func `names of others leave KVM's events what they are`() throws {
        let lines = (0..<10_000).map { " qemu-7 [001] 1.000000: event_\($0): x" }
        let read = try TestFile.read(
            (lines + [" qemu-7 [001] 1.000000: kvm_eoi: apicid 0 vector 97"]).joined(separator: "\n").utf8)
        #expect(read.lines == ["1000000000 cpu1 eoi 97"])
    }

    @Test func `any number of threads, CPUs and vCPUs is read`() throws {
        let lines = (0..<70_000).map { " q-\($0 + 1) [\($0 % 9000)] 1.\(100_000 + $0): kvm_entry: vcpu \($0), rip 0x1" }
        let report = try TestText.report(lines.joined(separator: "\n"))
        #expect(report.source.events.total == 70_000)
    }
}
