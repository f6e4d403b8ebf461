// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore
@testable import apictrace

/// Real KVM, driven by Tests/Guest: a guest of one vCPU that uses its APIC a known number of times.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct LiveTests {
    private static let guest = Command.directory.appendingPathComponent("apictrace-guest").path

    // MARK: What the probes send

    @Test func `each interrupt of the guest is sent, accepted and ended once`() throws {
        let trace = try CollectedTrace(ipis: 50, timers: 3)
        func count(_ isWanted: (KVMEvent) -> Bool) -> Int { trace.events.count(where: isWanted) }
        #expect(count { $0 == .apicIPI(.init(icrLow: 0x44041, destination: 0)) } == 50)
        #expect(count { $0 == .apicAcceptIRQ(.init(vcpu: 0, vector: 0x41)) } == 50)
        #expect(count { $0 == .apicAcceptIRQ(.init(vcpu: 0, vector: 0x51)) } == 3)
        #expect(!LiveHost.emulatesAPIC || count { $0 == .eoi(.init(vcpu: 0, vector: 0x41)) } == 50)
        #expect(!LiveHost.emulatesAPIC || count { $0 == .eoi(.init(vcpu: 0, vector: 0x51)) } == 3)
    }

    @Test func `a vCPU is known from its first event`() throws {
        let trace = try CollectedTrace(ipis: 5, timers: 0)
        #expect(!trace.states.isEmpty)
        #expect(trace.states.allSatisfy { $0.vcpu == 0 && $0.hasLAPIC && $0.process == trace.guest })
        #expect(trace.processes.contains(trace.guest))
    }

    @Test func `of the APIC's own registers the enabling alone is sent`() throws {
        let trace = try CollectedTrace(ipis: 5, timers: 0)
        let accesses = trace.events.filter { $0.kind == .apic }
        #expect(accesses == [.apic(.init(isWrite: true, register: 0xf0, value: 0x1ff))])
    }

    /// What a vendor's structures hold is read as far as the kernel has their types.
    @Test(arguments: [ISA.vmx, .svm, .unknown]) func `the kernel takes the probes for either vendor`(_ isa: ISA) throws
    {
        var host = HostFacts.current
        host.isa = isa
        #expect(try LiveSource.rehearse(host: host, types: KernelTypes()) > 0)
    }

    @Test(.enabled(if: !LiveHost.emulatesAPIC, "the guest is emulated here, and its HLT is no exit"))
    func `the words of a vCPU that sleeps are there when they are asked for`() throws {
        var source = try LiveSource.start(LiveOptions(), host: .current, types: try KernelTypes())
        var readings = Readings()
        let guest = try Guest(ipis: 1, timers: 0, parks: true)
        defer { guest.stop() }
        for _ in 0..<100 where readings.all.isEmpty {
            usleep(10_000)
            source.look(at: [guest.thread])
            try source.drain(into: &readings)
        }
        let (reading, tid) = try #require(readings.all.first)
        #expect(tid == guest.thread)
        #expect(reading.occasion == .asleep)
        #expect(reading.words.irr.vectors == [0x41])
        #expect(reading.isAPICEnabled == true)
        #expect(reading.interruptFlag == false)
    }

    private struct Readings: EventSink {
        private(set) var all: [(LAPICReading, tid: Int32)] = []

        mutating func take(_ item: TraceItem, at stamp: EventStamp) {
            if case .fact(.lapic(let reading)) = item { all.append((reading, stamp.tid)) }
        }
    }

    @Test func `another VM's events are counted and not sent`() throws {
        let trace = try CollectedTrace(LiveOptions(processes: [1]), ipis: 100, timers: 0)
        #expect(trace.totals.byName["kvm_apic_ipi"] == 100)
        // Accepts may come from threads of no VM, so that they are sent always.
        #expect(UInt64(trace.events.count) == trace.totals.byName["kvm_apic_accept_irq"])
    }

    @Test func `another vCPU's events are counted and not sent`() throws {
        let trace = try CollectedTrace(LiveOptions(selection: Selection(vcpus: [1...1])), ipis: 100, timers: 0)
        #expect(trace.totals.byName["kvm_apic_accept_irq"] == 100)
        #expect(
            !trace.events.contains { event in
                switch event {
                case .apicAcceptIRQ, .eoi: true
                default: false
                }
            })
        #expect(trace.states == [])
    }

    // MARK: The command

    /// The lines of `--json`, and the last one as a report.
    private func lines(_ run: Command) throws -> (lines: [String], report: Report) {
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(try LineValidator.complaints(about: run.output) == "")
        let last = try #require(lines.last)
        #expect(last.contains(#""type":"report""#))
        return (lines, try Report(json: last))
    }

    @Test func `hundreds of guests that come and go are counted to the last access`() throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../Soak/run.sh"
        ).standardized.path
        let run = try Command(
            running: URL(fileURLWithPath: script),
            ["0", "300", Command.directory.appendingPathComponent("apictrace").path, Self.guest])
        #expect(run.status == 0, "\(run.output)\(run.errors)")
    }

    /// Their exits are counted in the kernel, by thread. Each VM's are more than its IPIs, which are exits themselves.
    @Test func `VMs that one thread runs after each other are reported apart, with their own exits`() throws {
        let run = try Command("live", "--json", "--quiet", "--duration", "60", "--", Self.guest, "100", "0", "5")
        #expect(run.status == 0, "\(run.errors)")
        let (_, report) = try lines(run)
        let vcpus = report.vms.filter { $0.command == "apictrace-guest" }.flatMap(\.vcpus)
        #expect(vcpus.map(\.ipisSent) == [100, 200, 300, 400, 500])
        #expect(Set(vcpus.map(\.tid)).count == 1)
        let exits = vcpus.map { $0.exits.l1.values.reduce(0, +) }
        for (index, exits) in exits.enumerated() {
            #expect(
                exits >= 100 * UInt64(index + 1) || LiveHost.emulatesAPIC, "a guest that is emulated whole has none")
        }
        #expect(exits == exits.sorted())
        if LiveHost.emulatesAPIC {
            #expect(vcpus.map { $0.apicAccess.l1.registers["TPR"]?.reads } == [100, 200, 300, 400, 500])
        }
        let all = report.vms.flatMap(\.vcpus).map { $0.exits.l1.values.reduce(0, +) }.reduce(0, +)
        #expect(report.source.events.byName["kvm_exit"] == all)
    }

    @Test(.enabled(if: LiveHost.emulatesAPIC, "hardware virtualizes part of the accesses here"))
    func `the report counts what the guest did`() throws {
        let (ipis, timers): (UInt64, UInt64) = (2000, 20)
        let run = try Command("live", "--json", "--duration", "60", "--", Self.guest, "\(ipis)", "\(timers)")
        #expect(run.status == 0, "\(run.errors)")
        let (_, report) = try lines(run)
        let counts = report.source.events.byName
        // SPIV, two words of ICR an IPI, TDCR and LVTT, TMICT a timer; a read and an EOI in each handler.
        #expect(counts["kvm_mmio"] == 1 + 2 * ipis + 2 + timers + 2 * (ipis + timers))
        #expect(counts["kvm_apic_ipi"] == ipis)
        #expect(counts["kvm_apic_accept_irq"] == ipis + timers)
        // The APIC base is read once and moved once.
        #expect(counts["kvm_msr"] == 2)
        #expect(report.loss.overrun == 0)

        #expect(report.vms.map(\.command) == ["apictrace-guest"])
        let vcpu = try #require(report.vms.first?.vcpus.first)
        #expect(report.vms[0].vcpus.count == 1)
        #expect(vcpu.id == 0)
        #expect(vcpu.ipisSent == ipis)
        #expect(vcpu.ipis == [.init(dest: 0, vector: "0x41", mode: .fixed, count: ipis)])
        #expect(vcpu.apicAccess.l1.registers["EOI"] == .init(reads: 0, writes: ipis + timers))
        #expect(vcpu.apicAccess.l1.registers["TPR"] == .init(reads: ipis + timers, writes: 0))
        #expect(vcpu.apicAccess.l1.registers["ICR"] == .init(reads: 0, writes: ipis))
        #expect(vcpu.interrupts.map(\.vector) == ["0x41", "0x51"])
        for (line, count) in zip(vcpu.interrupts, [ipis, timers]) {
            let (accepted, ended) = (line.accepted, line.ended)
            #expect([accepted.l1, accepted.l2, accepted.unknown].compactMap(\.self).reduce(0, +) == count)
            #expect([ended.l1, ended.l2, ended.unknown].compactMap(\.self).reduce(0, +) == count)
        }
        #expect(report.vms[0].apicv.allSatisfy { !$0.inferred && $0.state != .unknown })
    }

    @Test func `a run of an idle host ends by its duration, and a grade that nothing reaches changes nothing`() throws {
        let run = try Command("live", "--json", "--until", "confirmed", "--duration", "1.5", "--vm", "1")
        #expect(run.status == 2, "\(run.errors)")
        let (lines, report) = try lines(run)
        #expect(lines.count >= 2)
        #expect(lines.dropLast().allSatisfy { $0.contains(#""type":"summary""#) })
        #expect(report.verdict == .inconclusive)
        #expect(report.source.format == "live (BPF)")
    }

    @Test func `the command's own output stays out of the JSON lines`() throws {
        let run = try Command("live", "--json", "--quiet", "--duration", "60", "--", Self.guest, "1", "0")
        #expect(try lines(run).lines.count == 1)
        #expect(run.errors == "ipis 1\ntimers 0\n")
    }

    @Test func `without a terminal the text report is all there is, and --quiet leaves one line of it`() throws {
        let run = try Command("live", "--duration", "60", "--", Self.guest, "10", "0")
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("ipis 10\ntimers 0\nCLEAN "))
        #expect(run.output.contains("\n  vCPU 0, thread "))
        #expect(!run.output.contains("\u{1b}"))
        let quiet = try Command("live", "--quiet", "--duration", "60", "--", "true")
        #expect(quiet.output.hasPrefix("inconclusive: "))
        #expect(quiet.output.split(separator: "\n").count == 1)
    }

    @Test(arguments: [["--until", "clean"], ["--fail-on", "clean"], ["--duration", "0"], ["--vcpu=-1"]])
    func `wrong usage is 64`(arguments: [String]) throws {
        let run = try Command(
            running: Command.directory.appendingPathComponent("apictrace"), ["live"] + arguments)
        #expect(run.status == 64)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends the run with the report and its status`(_ signal: Int32) throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = Command.directory.appendingPathComponent("apictrace")
        process.arguments = ["live", "--json", "--quiet", "--vm", "1"]
        process.standardOutput = output
        try process.run()
        #expect(BPFPrograms.attached(by: process.processIdentifier) != nil)
        kill(process.processIdentifier, signal)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 2)
        #expect(try Report(json: text).verdict == .inconclusive)
    }

    // MARK: Ends

    @Test(arguments: [SIGSEGV, SIGILL, SIGTRAP])
    func `nothing stays in the kernel after a crash`(_ signal: Int32) throws {
        let process = Process()
        process.executableURL = Command.directory.appendingPathComponent("apictrace")
        process.arguments = ["live", "--duration", "60"]
        // Else Swift's runtime catches these for a backtrace, and lets what is no fault pass.
        process.environment = ["SWIFT_BACKTRACE": "enable=no"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let programs = BPFPrograms.attached(by: process.processIdentifier)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(process.terminationStatus == signal)
        #expect(try #require(programs).waitUntilFreed())
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGKILL])
    func `nothing stays in the kernel after a signal`(_ signal: Int32) throws {
        let process = Process()
        process.executableURL = Command.directory.appendingPathComponent("apictrace")
        process.arguments = ["live", "--duration", "60"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let programs = BPFPrograms.attached(by: process.processIdentifier)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(try #require(programs).waitUntilFreed())
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
