// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
import Testing

@testable import TraceCore

/// Texts on their way through mailers, packers and pipes.
@Suite struct MailDamageTests {
    static let recordings = [
        "intel/6.1.192/stale-svi.dat", "intel/6.12.107/passthrough-2v-4ev.dat", "amd/6.12-force_avic/four-events.dat",
    ].map(TestFile.fixture)

    private static func text(_ path: String, _ layout: TextTwin.Layout) throws -> String {
        try TextTwin(of: path).text(layout)
    }

    /// Its own words on where it comes from are all that may differ, and how many lines a mail has of its own.
    private static func comparable(_ report: Report) -> Report {
        var report = report
        report.source.format = ""
        report.source.cpus = 0
        report.source.kernel = ""
        report.limits.removeAll { $0.hasSuffix("of no event and passed over") }
        return report
    }

    @Test(arguments: recordings, MailDamage.allCases)
    func `what a mailer did is undone`(path: String, damage: MailDamage) throws {
        // What a line is broken in depends on its columns.
        for layout in damage.breaksLines ? TextTwin.Layout.all : [.report, .tracefs] {
            let text = try Self.text(path, layout)
            let original = Self.comparable(try TestText.report(text))
            let report = Self.comparable(try TestText.report(damage.bytes(text)))
            #expect(report.source.events == original.source.events, "\(layout)")
            #expect(report.verdict == original.verdict, "\(layout)")
            #expect(report.findings == original.findings, "\(layout)")
            #expect(report.vms == original.vms, "\(layout)")
            #expect(report.limits == original.limits, "\(layout)")
            #expect(report.source.cut == nil, "\(layout)")
        }
    }

    @Test(arguments: ["gzip -c", "zstd -qc"], [MailDamage.plain, .utf16, .base64])
    func `a text is read through a packer`(command: String, damage: MailDamage) throws {
        let text = try Self.text(Self.recordings[0], .report)
        let file = TestFile.descriptor(damage.bytes(text))
        defer { close(file) }
        let packed = TraceCmd.bytes(of: "\(command) </proc/\(getpid())/fd/\(file)")
        // The tool isn't on every machine.
        if packed.isEmpty { return }
        let (report, original) = (try TestText.report(packed), try TestText.report(text))
        #expect(report.findings == original.findings)
        #expect(report.source.events == original.source.events)
        // Of a small file zstd has one block, of which a part is nothing.
        if command.hasPrefix("gzip") { #expect(try TestText.report(packed.dropLast(20)).source.cut != nil) }
    }

    @Test(arguments: [MailDamage.plain, .utf16BigEndian, .html, .quotedPrintable])
    func `a text is read from a pipe`(damage: MailDamage) throws {
        let text = try Self.text(Self.recordings[0], .perf)
        let bytes = damage.bytes(text)
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        let writer = ends[1]
        DispatchQueue.global().async {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(writer, $0.baseAddress, min($0.count, 5000)) }
                guard count > 0 else { break }
                rest = rest.dropFirst(count)
            }
            close(writer)
        }
        let report = try TestText.report(Recording(descriptor: ends[0], name: "-"))
        let original = try TestText.report(text)
        #expect(report.findings == original.findings)
        #expect(report.source.events == original.source.events)
        #expect(report.verdict == .hazard)
    }

    /// What authors do by hand to the events that are long.
    @Test func `a field a line is one event`() throws {
        let text = """
             qemu-7 [001] 1.000000: kvm_nested_vmenter:   rip: 0x0000000000001000
                 vmcs: 0x0000000000002000
                 nested_rip: 0x0000000000003000
                 int_ctl: 0x00000061
                 event_inj: 0x80000081
                 nested_ept=y
             qemu-7 [001] 1.000001: kvm_exit: reason
            HLT rip 0x1 info 0 0
             qemu-7 [001] 1.000002:
            kvm_eoi: apicid 0 vector 97
             qemu-7 [001]
            1.000003: kvm_eoi: apicid 0 vector 98
            """
        let read = try TestFile.read(text.utf8)
        #expect(read.totals.byName == ["kvm_nested_vmenter": 1, "kvm_exit": 1, "kvm_eoi": 2])
        #expect(read.totals.illegible == nil)
        #expect(read.lines.count == 4)
        #expect(read.lines.first?.contains("eventInj: 2147483777") == true)
        #expect(read.lines.suffix(2) == ["1000002000 cpu1 eoi 97", "1000003000 cpu1 eoi 98"])
    }
}
