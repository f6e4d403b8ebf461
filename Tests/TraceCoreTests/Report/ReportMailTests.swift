// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

@Suite struct ReportMailTests {
    @Test func `a lost interrupt is told with its proof, its host and what is not known`() {
        let mail = SampleReports.lost.mail()
        #expect(mail.hasPrefix("Interrupts are lost: vector 0x30, vCPU 0 of qemu-system-x86 (pid 214),\n"))
        #expect(mail.contains("0x30 acknowledged in L1, ended in L2 (inferred)"))
        #expect(mail.contains("Linux host 6.1.0-55-amd64 x86_64"))
        #expect(mail.contains("trace-cmd record -b 16384 -e kvm:kvm_apicv_inhibit_changed"))
    }

    @Test(arguments: [
        "it's a trace.dat", "a -b.dat", "a\nb.dat", "a\u{1b}\t\u{7f}\\é'.dat", "$(reboot).dat", "a\"b`c`;d.dat",
        "trace.dat", "-",
    ])
    func `the command that repeats it is one for a shell, whatever the file is called`(path: String) throws {
        var report = SampleReports.lost
        report.source.path = path
        report.selection = .init(
            vm: nil, vcpu: nil, vms: ["process 2104", "it's one"], vcpus: [0, 3], from: 1_000_000_001, to: 2_500_000_000
        )
        let mail = report.mail(kallsyms: "host's kallsyms")
        let lines = mail.split(separator: "\n")
        let start = try #require(lines.firstIndex { $0.contains("apictrace analyze") })
        let count = lines[start...].prefix { $0.hasSuffix("\\") }.count + 1
        let command = lines[start..<(start + count)].joined(separator: "\n")
        let shell = Process()
        let output = Pipe()
        shell.executableURL = URL(fileURLWithPath: "/bin/bash")
        shell.arguments = ["-c", "apictrace() { printf '%s\\0' \"$@\"; }\n" + command]
        shell.standardOutput = output
        try shell.run()
        let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(
            words.split(separator: "\0").map(String.init) == [
                "analyze", "--vm", "process 2104", "--vm", "it's one", "--vcpu", "0", "--vcpu", "3", "--from",
                "+1.000000001", "--to", "+2.500000000", "--kallsyms", "host's kallsyms", "--mail", path,
            ])
    }

    @Test func `a name that begins like an option is none`() {
        var report = SampleReports.lost
        report.source.path = "-o.dat"
        #expect(report.mail().contains("apictrace analyze --mail ./-o.dat\n"))
    }

    @Test func `a report without a finding says once what the host is`() {
        let mail = SampleReports.clean.mail()
        #expect(mail.contains("What was looked at:\n\nHost: VMX;"))
        #expect(mail.matches(of: /Host:/).count == 1)
    }

    @Test func `a name that is no text is none in a mail`() {
        var report = SampleReports.lost
        report.vms[0].command = "\u{1b}[2Jqemu\r\n\u{202e}"
        report.source.kernel = "Linux \u{7}host"
        let mail = report.mail()
        #expect(mail.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7f })
        #expect(!mail.contains("\u{202e}"))
    }

    @Test func `lines have 72 columns at most, but for a word that is longer`() {
        for report in [SampleReports.lost, SampleReports.clean] {
            for line in report.mail().split(separator: "\n") where line.count > 72 {
                #expect(!line.trimmingPrefix { $0 == " " }.contains(" "))
            }
        }
    }

    @Test func `the selection that a report names is taken as one`() {
        #expect(Selection.VM("process 2104") == .process(2104))
        #expect(Selection.VM(Selection.VM.process(2104).description) == .process(2104))
        #expect(Selection.VM(Selection.VM.number(3).description) == .number(3))
        #expect(Selection.VM("process of mine") == .name("process of mine"))
    }
}
