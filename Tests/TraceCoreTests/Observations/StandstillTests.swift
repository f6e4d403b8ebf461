// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Observation no-progress: exits at one instruction in a row, and nothing done.
@Suite struct StandstillTests {
    private static let rip: UInt64 = 0xffff_f802_0555_1e67
    private static let needed = Int(Standstill.exitsNeeded)

    /// A fault of memory that KVM says to have handled.
    private func fault(
        _ trace: inout Trace, rip: UInt64 = rip, address: UInt64 = 0x5420_0f80, again vector: UInt8? = nil,
        then: (inout Trace) -> Void = { _ in }
    ) {
        let vectoring = vector.map { 0x8000_0000 | UInt64($0) } ?? 0
        trace.emit(
            .exit(.init(reason: ExitReason.eptViolation.code, vcpu: 0, rip: rip, info1: 0x683, info2: vectoring)),
            .pageFault(.init(vcpu: 0, address: address, errorCode: 0x683)))
        then(&trace)
        if let vector { trace.inject(vector, reinjected: true) }
        trace.enter()
    }

    private func observations(_ trace: Trace) -> [Report.Observation] {
        trace.outcome().report.observations.filter { $0.kind == .noProgress }
    }

    @Test func `one fault and one interrupt 2000 times: reported, and not graded`() throws {
        var trace = Trace()
        for _ in 0..<2000 { fault(&trace, again: 0xd1) }
        let seen = observations(trace)
        #expect(seen.count == 1)
        #expect((seen[0].vector, seen[0].vcpu, seen[0].count) == ("0xd1", 0, 2000))
        for part in ["EPT_VIOLATION", "rip 0xfffff80205551e67", "address 0x54200f80", "0xd1 injected again 2000 times"]
        {
            #expect(seen[0].text.contains(part))
        }
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `a hundred in a row are reported, ninety-nine are not`() {
        for (count, found) in [(Self.needed, 1), (Self.needed - 1, 0)] {
            var trace = Trace()
            for _ in 0..<count { fault(&trace) }
            #expect(observations(trace).count == found)
        }
    }

    @Test func `host interrupts in between are no progress`() {
        var trace = Trace()
        for _ in 0..<Self.needed {
            fault(&trace)
            trace.emit(.exit(.init(reason: ExitReason.externalInterrupt.code, vcpu: 0, rip: Self.rip)))
            trace.enter()
        }
        #expect(observations(trace).count == 1)
    }

    @Test func `another instruction in between is progress`() {
        var trace = Trace()
        for index in 0..<(4 * Self.needed) { fault(&trace, rip: Self.rip + UInt64(index / 50 % 2)) }
        #expect(observations(trace).isEmpty)
    }

    @Test func `one instruction that goes through memory makes progress`() {
        var trace = Trace()
        for index in 0..<UInt64(4 * Self.needed) { fault(&trace, address: 0x10_0000 + index / 3 * 0x1000) }
        #expect(observations(trace).isEmpty)
    }

    @Test func `an access that KVM carries out is progress: a guest that polls a device`() {
        var trace = Trace()
        for _ in 0..<(4 * Self.needed) {
            fault(&trace, address: 0xfe00_0000) { $0.emit(.mmio(.init(type: 1, gpa: 0xfe00_0000))) }
        }
        #expect(observations(trace).isEmpty)
    }

    @Test func `a device that SVM's MMIO SPTE names is polled, though no kvm_mmio tells of it`() {
        var trace = Trace()
        for _ in 0..<(4 * Self.needed) {
            trace.emit(
                .exit(.init(reason: ExitReason.svmNPF.code, isa: 2, vcpu: 0, rip: Self.rip)),
                .pageFault(.init(vcpu: 0, address: 0xfe00_0000, errorCode: 0x10_0000_000f)))
            trace.enter()
        }
        #expect(observations(trace).isEmpty)
    }

    @Test(arguments: [ExitReason.hlt, .externalInterrupt, ExitReason(isa: .vmx, recorded: 30)])
    func `a guest that idles, spins or polls a port at one instruction is ordinary`(_ reason: ExitReason) {
        var trace = Trace()
        for _ in 0..<5000 {
            trace.emit(.exit(.init(reason: reason.code, vcpu: 0, rip: Self.rip)))
            trace.enter()
        }
        #expect(observations(trace).isEmpty)
    }

    @Test func `an interrupt that is injected again and again needs no fault to be seen`() {
        var trace = Trace()
        for _ in 0..<Self.needed {
            trace.emit(
                .exit(.init(reason: ExitReason.eptMisconfig.code, vcpu: 0, rip: Self.rip, info2: 0x8000_00d1)))
            // 5.10 to 5.19 don't say that it is again.
            trace.inject(0xd1, reinjected: nil)
            trace.enter()
        }
        #expect(observations(trace).map(\.vector) == ["0xd1"])
    }

    @Test func `faults ten milliseconds apart are not one story`() {
        for (pause, found) in [(9.0, 1), (11.0, 0)] {
            var trace = Trace()
            for _ in 0..<Self.needed {
                fault(&trace)
                trace.after(ms: pause)
            }
            #expect(observations(trace).count == found)
        }
    }

    @Test func `a gap may hide progress`() {
        var trace = Trace()
        for index in 0..<(2 * Self.needed - 2) {
            if index == Self.needed - 1 { trace.gap(cpu: 0) }
            fault(&trace)
        }
        #expect(observations(trace).isEmpty)
    }

    @Test func `what is over is reported too, with its own times`() throws {
        var trace = Trace()
        for _ in 0..<Self.needed { fault(&trace) }
        let end = trace.time
        trace.after(ms: 500)
        for _ in 0..<10 { trace.exitOfL1() }
        #expect(try #require(observations(trace).first).last < end)
    }

    @Test func `an instruction pointer that is hidden (0) tells no instruction`() {
        var trace = Trace()
        for _ in 0..<(4 * Self.needed) { fault(&trace, rip: 0) }
        #expect(observations(trace).isEmpty)
    }
}
