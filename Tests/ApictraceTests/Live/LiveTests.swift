// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// Real KVM, driven by Tests/Guest: a guest of one vCPU that uses its APIC a known number of times.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct LiveTests {
    private static let guest = Command.directory.appendingPathComponent("apictrace-guest").path

    /// The last lines of a run: `count NAME HITS`, `received N`, `dropped N`.
    private func counts(_ output: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 3, words[0] == "count" { counts[String(words[1])] = Int(words[2]) }
            if words.count == 2, let number = Int(words[1]) { counts[String(words[0])] = number }
        }
        return counts
    }

    @Test(.enabled(if: LiveHost.emulatesAPIC, "hardware virtualizes part of the accesses here"))
    func `every access of the guest is counted and sent`() throws {
        let run = try Command("live", "--duration", "60", "--", Self.guest, "2000", "20")
        #expect(run.status == 0, "\(run.errors)")
        let counts = counts(run.output)
        let (ipis, timers) = (2000, 20)
        // SPIV, two words of ICR an IPI, TDCR and LVTT, TMICT a timer; a read and an EOI in each handler.
        #expect(counts["kvm_mmio"] == 1 + 2 * ipis + 2 + timers + 2 * (ipis + timers))
        #expect(counts["kvm_apic_ipi"] == ipis)
        #expect(counts["kvm_apic_accept_irq"] == ipis + timers)
        // The APIC base is read once and moved once.
        #expect(counts["kvm_msr"] == 2)
        #expect(counts["dropped"] == 0)
        #expect(counts["missed"] == 0)
        #expect(counts["received"] == counts.filter { $0.key.hasPrefix("kvm_") }.values.reduce(0, +))
    }

    @Test func `each interrupt of the guest is sent, accepted and ended once`() throws {
        let run = try Command("live", "--events", "--duration", "60", "--", Self.guest, "50", "3")
        #expect(run.status == 0, "\(run.errors)")
        func lines(_ parts: String...) -> Int {
            run.output.split(separator: "\n").count { line in parts.allSatisfy { line.contains($0) } }
        }
        #expect(lines(" apicIPI(", "icrLow: \(0x44041)") == 50)
        #expect(lines(" apicAcceptIRQ(", "vector: \(0x41)") == 50)
        #expect(lines(" apicAcceptIRQ(", "vector: \(0x51)") == 3)
        #expect(!LiveHost.emulatesAPIC || lines(" eoi(", "vector: \(0x41)") == 50)
        #expect(!LiveHost.emulatesAPIC || lines(" eoi(", "vector: \(0x51)") == 3)
    }

    @Test func `a vCPU is known from its first event`() throws {
        let run = try Command("live", "--events", "--duration", "60", "--", Self.guest, "5", "0")
        let states = run.output.split(separator: "\n").filter { $0.contains(" VCPUState(") }
        #expect(states.count >= 1)
        #expect(states.allSatisfy { $0.contains("vcpu: 0,") && $0.contains("hasLAPIC: true") })
        let process = try #require(run.output.firstMatch(of: /thread \d+ of process (\d+)/)?.1)
        #expect(states.allSatisfy { $0.contains("process: \(process),") })
    }

    @Test func `another VM's events are counted and not sent`() throws {
        let run = try Command("live", "--vm", "1", "--duration", "60", "--", Self.guest, "100", "0")
        let counts = counts(run.output)
        #expect(counts["kvm_apic_ipi"] == 100)
        // Accepts may come from threads of no VM, so that they are sent always.
        #expect(counts["received"] == counts["kvm_apic_accept_irq"])
    }

    @Test func `another vCPU's events are counted and not sent`() throws {
        let run = try Command("live", "--events", "--vcpu", "1", "--duration", "60", "--", Self.guest, "100", "0")
        #expect(counts(run.output)["kvm_apic_accept_irq"] == 100)
        #expect(!run.output.contains(" apicAcceptIRQ("))
        #expect(!run.output.contains(" eoi("))
        #expect(!run.output.contains(" VCPUState("))
    }

    /// Takes everything and keeps the sums.
    private struct Sums: LiveEventSink {
        var events: UInt64 = 0
        var lost: UInt64 = 0
        var latest: UInt64 = 0
        var isInOrder = true

        mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
            events += 1
            isInOrder = isInOrder && stamp.time >= latest
            latest = stamp.time
        }
        mutating func lost(_ gap: EventGap) { lost += gap.events ?? 0 }
        mutating func state(_ state: VCPUState, at stamp: EventStamp) {}
        mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp) {}
        mutating func thread(_ tid: Int32, of process: Int32) {}
    }

    @Test func `what a full ring loses is told as holes`() throws {
        let types = try KernelTypes()
        var source = try LiveSource.start(LiveOptions(ringBytes: 1 << 16), host: .current, types: types)
        var sums = Sums()
        try source.drain(into: &sums)
        // Nobody reads meanwhile.
        let guest = Process()
        guest.executableURL = URL(fileURLWithPath: Self.guest)
        guest.arguments = ["1000", "0"]
        guest.standardOutput = FileHandle.nullDevice
        try guest.run()
        guest.waitUntilExit()
        try source.finish(into: &sums)
        let hits = EventKind.allCases.map { source.hits($0) }.reduce(0, +)
        #expect(sums.lost > 0)
        #expect(sums.lost == source.dropped)
        #expect(sums.isInOrder)
        // The vCPU's state, which is no event, may be among the lost.
        #expect(hits - sums.events == sums.lost || hits - sums.events == sums.lost - 1)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGKILL])
    func `nothing stays in the kernel after a signal`(_ signal: Int32) throws {
        let before = BPFPrograms.named("kvm_apic_ipi")
        let process = Process()
        process.executableURL = Command.directory.appendingPathComponent("apictrace")
        process.arguments = ["live", "--duration", "60"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        #expect(BPFPrograms.waitForCount(above: before, of: "kvm_apic_ipi"))
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(BPFPrograms.waitForCount(notAbove: before, of: "kvm_apic_ipi"))
    }

    @Test func `without privileges it says what to do and ends with 4`() throws {
        let run = try Command(
            running: URL(fileURLWithPath: "/usr/bin/setpriv"),
            [
                "--bounding-set", "-all", "--inh-caps", "-all", "--reuid", "65534", "--clear-groups", "--",
                "/proc/self/fd/0", "live", "--duration", "1",
            ],
            input: Command.directory.appendingPathComponent("apictrace"))
        #expect(run.status == 4)
        #expect(run.errors.contains("run it as root"))
        #expect(run.errors.split(separator: "\n").count == 1)
    }
}
