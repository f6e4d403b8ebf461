// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The eight recordings of docs/reading-a-report.md: what their first screen of 80 columns and 24 lines says.
@Suite(.enabled(if: access("/usr/bin/script", X_OK) == 0, "script is not installed"))
struct FirstScreenTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All but the pager's own line, with single blanks between the words.
    private static func screen(of file: String) throws -> String {
        let run = try ExitStatusTableTests.shell(
            """
            export TERM=xterm TOOL='\(Command.directory.appending(path: "apictrace").path)'
            cd "$(dirname '\(file)')"
            script -qec 'stty rows 24 cols 80; "$TOOL" analyze --no-pager --no-color '"$(basename '\(file)')" /dev/null
            """)
        return run.output.split(separator: "\r\n", omittingEmptySubsequences: false).prefix(23)
            .flatMap { $0.split(separator: " ") }.joined(separator: " ")
    }

    @Test(
        arguments: [
            (
                "bitvisor/6.1.192-svifix-undone-smp2/trace.dat",
                [
                    "CONFIRMED Interrupts are lost: vector 0x30, vCPU 0 of qemu-system-x86", "since +42.247352 s",
                    "0x30 was acknowledged in L1 and ended in L2. Afterwards 0x30 was accepted 400 times and not delivered",
                    "Do now Run a host kernel with 04bc93cf49d1",
                ]
            ),
            (
                "intel/6.12.107/nofix-hooked-only.dat",
                [
                    "CONFIRMED Interrupts are lost: vector 0x41, vCPU 0 of vmm", "since +0.002052 s",
                    "0x51 was acknowledged in L2 and ended in L1 (inferred). 0x51 stayed in service after its EOI",
                    "Do now Run a host kernel with 04bc93cf49d1", "Hooking the APIC page in L1 does not help",
                    "KVM's fix absent (behaviour)", "Stuck 0x51: received, in service still, and blocking",
                ]
            ),
            (
                "intel/6.12.107/nofix-stale-svi.dat",
                [
                    "HAZARD No loss is shown, but interrupts crossed levels",
                    "vCPU 0 of vmm (pid 964), since +0.001860 s",
                    "0x61 was acknowledged in L1 and ended in L2 (inferred)",
                    "Do now Find out first whether the host's kernel has the fix: apictrace analyze --kallsyms FILE",
                    "Not known Nothing shows that an interrupt was lost: delivery in L1 is silent",
                ]
            ),
            (
                "intel/6.12.107/nofix-passthrough-4ev.dat",
                [
                    "EXPOSED L2 uses L1's local APIC by itself while APICv is active; a loss could not show, for events are "
                        + "missing: vCPU 0 of vmm (pid 950), since +0.062126 s",
                    "Do now Find out whether the host's kernel has the stale-SVI fix",
                    "Record kvm_entry, kvm_nested_vmexit",
                    "Not known kvm_nested_vmexit is not recorded",
                ]
            ),
            (
                "intel/6.12.107/no-apicv-stale-svi.dat",
                [
                    "CLEAN Nothing that loses interrupts between L1 and L2 shows in this trace.",
                    "VM 0: APICv was off all the time.", "APICv inhibited 0x1 (DISABLED)",
                    "0x61: accepted 1 in L1; acknowledged 1 in L1, reinjected 0; ended 1 in L2",
                ]
            ),
            (
                "bitvisor/6.1.192-asshipped-smp2/trace.dat",
                [
                    "EXPOSED L2 uses L1's local APIC by itself while APICv is active; KVM has the fix, which makes that harmless",
                    "since +38.991176 s", "Do now Nothing: this kernel has the fix for stale SVI.",
                    "KVM's fix present (behaviour): 0x30 was delivered after the crossing of 0x30",
                ]
            ),
            (
                "amd/6.12-force_avic/lost.dat",
                [
                    "INCONCLUSIVE No loss is shown, but this trace can't rule it out.",
                    "Events were lost while recording: what they held may be a finding.",
                    "Doubt 5198 events were lost in 10 gaps. Larger buffers (trace-cmd's -b) or fewer events help.",
                ]
            ),
            (
                "attack/G10-lost-accept-no-crossing.dat.zst",
                [
                    "HAZARD An interrupt was accepted and not delivered: lost, or held back by a guest that may have interrupts "
                        + "off: vector 0x41, vCPU 0 of vmm (pid 700), since +0.006525 s",
                    "0x41 once; L2 was entered 148 times meanwhile",
                    "Do now Watch for longer first, best with apictrace live, which reads the guest's interrupt flag.",
                    "Not known A wait alone is no loss",
                ]
            ),
        ] as [(String, [String])])
    func `it says what, which vector, since when, why, what to do and what is not known`(
        name: String, phrases: [String]
    ) throws {
        let screen = try Self.screen(
            of: Self.root.appending(path: "Tests/TraceCoreTests/Fixtures/\(name)").path)
        for phrase in phrases { #expect(screen.contains(phrase), "\(screen)") }
        let document = try String(contentsOf: Self.root.appending(path: "docs/reading-a-report.md"), encoding: .utf8)
        let recording = name.replacing("/trace.dat", with: "").prefix { $0 != "." || !name.hasSuffix("zst") }
        #expect(document.contains("\n| \(recording.replacing(".dat", with: "")) | "))
    }
}
