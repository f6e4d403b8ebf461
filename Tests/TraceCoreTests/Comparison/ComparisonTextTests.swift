// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct ComparisonTextTests {
    private let losing = SampleReports.losing
    private let sound = SampleReports.sound

    @Test func `the answer comes first, then both recordings, then what differs, A on the left`() {
        #expect(
            Comparison(losing, sound).text(style: .init()) == """
                BETTER        Only A shows stale-svi (confirmed), vector 0x30, vCPU 0 of qemu-system-x86 (pid 214).
                              0x30 arrives 121 times in B, once in A.
                  A           losing.dat: confirmed; trace.dat v7 zstd, 39.676450 s, 754251 events, Linux host
                              6.1.0-55-amd64 x86_64; fix for stale SVI unknown (release)
                  B           sound.dat: clean; trace.dat v7 zstd, 39.676450 s, 754251 events, Linux host
                              6.1.0-55-amd64 x86_64; fix for stale SVI present (behaviour)

                Findings                        A                                 B
                stale-svi, vCPU 0               confirmed: 0x30 (399 times)       -

                VM, the same process            qemu-system-x86 (pid 214)         qemu-system-x86 (pid 214)
                  APICv                         active, inferred, 100.0 %         active, inferred, 100.0 %
                  vCPU 0                        accepted/taken/ended
                    0x30                        lost 401/1/1                      delivered 401/121/121

                """)
    }

    @Test func `of two that are the same there is no more than that to say`() {
        #expect(
            Comparison(sound, sound).text(style: .init()) == """
                SAME          Every figure that is compared is the same.
                  A           sound.dat: clean; trace.dat v7 zstd, 39.676450 s, 754251 events, Linux host
                              6.1.0-55-amd64 x86_64; fix for stale SVI present (behaviour)
                  B           sound.dat: clean; trace.dat v7 zstd, 39.676450 s, 754251 events, Linux host
                              6.1.0-55-amd64 x86_64; fix for stale SVI present (behaviour)

                VM, the same process            qemu-system-x86 (pid 214)         qemu-system-x86 (pid 214)
                  APICv                         active, inferred, 100.0 %         active, inferred, 100.0 %

                """)
    }

    @Test func `long lists are cut, and -v has them whole`() {
        let busy = sound.with { report in
            let line = report.vms[0].vcpus[0].interrupts[0]
            report.vms[0].vcpus[0].interrupts = (UInt8(0x31)...0x40).map { vector in
                var line = line
                line.vector = Hex.vector(vector)
                return line
            }
            for number in 0..<20 { report.vms[0].vcpus[0].exits.l1["REASON_\(number)"] = UInt64(number) + 1 }
            report.vms[0].vcpus[0].apicAccess.l2Hooked.registers = (0..<12).reduce(into: [:]) {
                $0["R\($1)"] = .init(reads: 1, writes: 1)
            }
        }
        let comparison = Comparison(sound, busy)
        let text = comparison.text(style: .init())
        #expect(text.contains("and 11 more vectors: -v lists them"))
        #expect(text.contains("more reasons: -v lists them"))
        #expect(text.contains("more rows of accesses: -v lists them"))
        var style = TextStyle()
        style.isVerbose = true
        let whole = comparison.text(style: style)
        #expect(!whole.contains("-v lists them"))
        #expect(whole.contains("REASON_0 ") && whole.contains("0x3f"))
    }

    @Test func `what a trace calls itself can't write to the reader's terminal`() {
        let hostile = losing.with { report in
            report.vms[0].command = "\u{1b}[2J\u{202e}\nname"
            report.source.path = "a\nb"
            report.source.kernel = "\u{7}"
        }
        let comparison = Comparison(hostile, sound.with { $0.vms[0].command = hostile.vms[0].command })
        let text = comparison.text(style: .init())
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value < 0x7f) })
        #expect(text.contains(#"\x1b[2J\u{202e}\x0aname"#))
        #expect(!comparison.outcomeLine.contains("\n"))
    }

    @Test(arguments: Comparison.Outcome.allCases) func `the answer is in colour where there is any`(
        outcome: Comparison.Outcome
    ) {
        var comparison = Comparison(losing, sound)
        comparison.outcome = outcome
        let label = outcome.rawValue.uppercased()
        #expect(comparison.text(style: .init()).hasPrefix(label + " "))
        #expect(comparison.text(style: .init(colour: true)).hasPrefix("\u{1b}["))
        #expect(comparison.outcomeLine.hasPrefix(outcome.rawValue + ": "))
        #expect(label.count < Grade.columns)
    }
}
