// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// The ftrace backend on real KVM, driven by Tests/Guest.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[3])
struct FtraceTests {
    private static let tracefs = "/sys/kernel/tracing"

    private func hasInstance(_ process: Process) -> Bool {
        SystemFile.exists("\(Self.tracefs)/instances/apictrace-\(process.processIdentifier)")
    }

    @Test func `it sees what the guest did`() throws {
        var source = try FtraceSource(in: Self.tracefs)
        var seen = SeenEvents()
        let guest = try Guest(ipis: 2000, timers: 20)
        while guest.isRunning {
            try source.drain(into: &seen)
            usleep(5000)
        }
        #expect(guest.end())
        try source.finish(into: &seen)
        let kinds = seen.events(of: guest.thread).map(\.kind)
        func count(_ kind: EventKind) -> Int { kinds.count { $0 == kind } }
        let (ipis, timers) = (2000, 20)
        #expect(count(.apicIPI) == ipis)
        #expect(count(.apicAcceptIRQ) >= ipis)
        #expect(count(.msr) == 2)
        // SPIV, two words of ICR an IPI, TDCR and LVTT, TMICT a timer; a read and an EOI in each handler.
        #expect(!LiveHost.emulatesAPIC || count(.mmio) == 1 + 2 * ipis + 2 + timers + 2 * (ipis + timers))
        #expect(source.totals().overrun == 0)
    }

    @Test(LiveHost.needs[2])
    func `it sees what probes see`() throws {
        var probes = try LiveSource.start(LiveOptions(), host: .current, types: KernelTypes())
        var ftrace = try FtraceSource(in: Self.tracefs)
        var (seenByProbes, seen) = (SeenEvents(), SeenEvents())
        let guest = try Guest(ipis: 1000, timers: 10)
        while guest.isRunning {
            try probes.drain(into: &seenByProbes)
            try ftrace.drain(into: &seen)
            usleep(5000)
        }
        try probes.finish(into: &seenByProbes)
        try ftrace.finish(into: &seen)
        let events = seen.events(of: guest.thread)
        #expect(events.count > 1000)
        // Probes count kvm_apic and send SPIV's alone: ftrace's records of it, here all the guest's, are as many. Nor do they
        // tell what an interrupt's handler did.
        func shared(_ events: [KVMEvent]) -> [KVMEvent] {
            events.filter { $0.kind != .apic }.map { event in
                guard case .apicAcceptIRQ(var accept) = event else { return event }
                accept.inHardIRQ = false
                return .apicAcceptIRQ(accept)
            }
        }
        #expect(shared(seenByProbes.events(of: guest.thread)) == shared(events))
        #expect(probes.hits(.apic) == UInt64(events.count { $0.kind == .apic }))
    }

    @Test func `events of several CPUs come in order of time`() throws {
        var source = try FtraceSource(in: Self.tracefs)
        var seen = SeenEvents()
        let guests = try (0..<3).map { _ in try Guest(ipis: 3000, timers: 0) }
        while guests.contains(where: \.isRunning) {
            try source.drain(into: &seen)
            usleep(5000)
        }
        try source.finish(into: &seen)
        #expect(seen.isInOrder)
        for guest in guests { #expect(seen.events(of: guest.thread).count { $0.kind == .apicIPI } == 3000) }
    }

    @Test func `a thread's process is reported once`() {
        var processes = ThreadProcesses()
        #expect(processes.process(ofNew: getpid()) == getpid())
        #expect(processes.process(ofNew: getpid()) == nil)
    }

    @Test func `what a full buffer loses is reported as gaps`() throws {
        var source = try FtraceSource(in: Self.tracefs, roomForCPU: 1 << 16)
        var seen = SeenEvents()
        try source.drain(into: &seen)
        // Nobody reads meanwhile.
        #expect(try Guest(ipis: 20000, timers: 0).end())
        try source.finish(into: &seen)
        let totals = source.totals()
        let lost = try #require(totals.overrun)
        #expect(lost > 0)
        #expect(seen.gaps > 0)
        #expect(totals.gaps.count == seen.gaps)
        #expect(totals.byName.values.reduce(0, +) == UInt64(seen.total))
        #expect(totals.gaps.reduce(0) { $0 + ($1.events ?? 0) } <= lost)
    }

    // MARK: - Leaving nothing behind

    private func startTracing() throws -> Process {
        let process = Process()
        process.executableURL = Command.directory.appendingPathComponent("apictrace")
        process.arguments = ["live", "--backend", "ftrace", "--duration", "60"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        // The last thing that a start does.
        let last = "events/kvm/kvm_avic_ga_log/enable"
        let enable = "\(Self.tracefs)/instances/apictrace-\(process.processIdentifier)/\(last)"
        for _ in 0..<500 where SystemFile.text(enable) != "1" { usleep(20_000) }
        return process
    }

    private func end(_ process: Process, with signal: Int32) {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `its instance goes with it after a signal`(_ signal: Int32) throws {
        let process = try startTracing()
        #expect(hasInstance(process))
        end(process, with: signal)
        #expect([0, 2].contains(process.terminationStatus))
        #expect(!hasInstance(process))
    }

    @Test(arguments: [["doctor"], ["live", "--backend", "ftrace", "--duration", "0.05"]])
    func `what a killed run leaves is removed by the next`(_ next: [String]) throws {
        let process = try startTracing()
        end(process, with: SIGKILL)
        #expect(hasInstance(process))
        _ = try Command(running: Command.directory.appendingPathComponent("apictrace"), next)
        #expect(!hasInstance(process))
    }

    @Test func `an instance of a process that lives is left alone`() throws {
        let process = try startTracing()
        _ = try Command("live", "--backend", "ftrace", "--duration", "0.05")
        #expect(hasInstance(process))
        end(process, with: SIGTERM)
        #expect(!hasInstance(process))
    }
}
