// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// C1 and C2 on the words of a local APIC.
@Suite struct MemoryProofsTests {
    private func words(irr: [UInt8], isr: [UInt8], tpr: UInt8, ppr: UInt8) -> LAPICWords {
        LAPICWords(irr: irr, isr: isr, tpr: tpr, ppr: ppr)
    }

    private func twice(_ words: LAPICWords) -> MemoryProofs.StaleSVI? {
        MemoryProofs.staleSVI(first: words, second: words)
    }

    // MARK: Words

    @Test func `the priority is the higher of task priority and service, by class`() {
        func ppr(_ tpr: UInt8, _ isr: [UInt8]) -> UInt8 { words(irr: [], isr: isr, tpr: tpr, ppr: 0).computedPPR }
        #expect(ppr(0, []) == 0)
        #expect(ppr(0x23, []) == 0x23)
        #expect(ppr(0x23, [0x22]) == 0x23)
        #expect(ppr(0x23, [0x31, 0x55]) == 0x50)
        #expect(ppr(0x5f, [0x51]) == 0x5f)
    }

    @Test func `words of any number are read, the first eight of them`() {
        #expect(VectorSet(registers: [0, 0, 0, 0, 0, 0, 0, 1 << 31, .max]).vectors == [255])
        #expect(VectorSet(registers: [1]).vectors == [0])
        #expect(VectorSet(registers: []).isEmpty)
        let registers: [UInt32] = [1, 2, 3, 1 << 31, 5, 6, 7, 8]
        #expect(VectorSet(registers: registers).registers == registers)
    }

    @Test(arguments: [(0x41 as UInt8, 0x30 as UInt8, 0x41 as UInt8?), (0x41, 0x40, nil), (0x41, 0x4f, nil)])
    func `a vector of the priority's own class is not deliverable`(_ vector: UInt8, _ tpr: UInt8, _ expected: UInt8?) {
        #expect(words(irr: [vector], isr: [], tpr: tpr, ppr: 0).deliverable == expected)
    }

    // MARK: C1, on what guests that lost were left with

    @Test func `nofix-stale-svi: 0x41 is requested, nothing in service, and the stored priority is 0x60`() {
        let left = words(irr: [0x41], isr: [], tpr: 0, ppr: 96)
        #expect(twice(left) == .confirmed(stored: 96, computed: 0, vector: 0x41))
    }

    @Test func `nofix-stale-svi-recheck: a higher interrupt has put it right again`() {
        #expect(twice(words(irr: [], isr: [], tpr: 0, ppr: 0)) == nil)
    }

    @Test func `nofix-hooked-only and nofix-passthrough: 0x51 is stuck, and the priority agrees with it`() {
        // What is wrong there is ISR itself, which no word beside it shows.
        let left = words(irr: [0x41, 0x51], isr: [0x51], tpr: 0, ppr: 80)
        #expect(twice(left) == nil)
        #expect(left.deliverable == nil)
    }

    // MARK: C1

    @Test func `a mismatch that holds nothing back is no more than that`() {
        let left = words(irr: [0x71], isr: [], tpr: 0, ppr: 0x60)
        #expect(twice(left) == .mismatch(stored: 0x60, computed: 0))
    }

    @Test func `a vector in service above the stored priority is proof`() {
        let left = words(irr: [], isr: [0x61], tpr: 0, ppr: 0)
        #expect(twice(left) == .confirmed(stored: 0, computed: 0x60, vector: 0x61))
    }

    @Test func `what the stored priority holds back is its whole class`() {
        #expect(
            twice(words(irr: [0x5f], isr: [], tpr: 0, ppr: 0x50)) == .confirmed(stored: 0x50, computed: 0, vector: 0x5f)
        )
        #expect(twice(words(irr: [0x60], isr: [], tpr: 0, ppr: 0x50)) == .mismatch(stored: 0x50, computed: 0))
    }

    @Test func `what the right priority holds back too is no loss`() {
        let left = words(irr: [0x45], isr: [0x41], tpr: 0, ppr: 0x60)
        #expect(twice(left) == .mismatch(stored: 0x60, computed: 0x40))
    }

    @Test func `a vector in service of the stored priority's class is no proof: the task priority is missing`() {
        let left = words(irr: [], isr: [0x51], tpr: 0x71, ppr: 0x50)
        #expect(twice(left) == .mismatch(stored: 0x50, computed: 0x71))
    }

    @Test func `a mismatch must be the same at two exits`() {
        let stale = words(irr: [0x41], isr: [], tpr: 0, ppr: 0x60)
        let right = words(irr: [0x41], isr: [], tpr: 0, ppr: 0)
        let other = words(irr: [0x41], isr: [], tpr: 0, ppr: 0x70)
        #expect(MemoryProofs.staleSVI(first: right, second: stale) == nil)
        #expect(MemoryProofs.staleSVI(first: stale, second: right) == nil)
        #expect(MemoryProofs.staleSVI(first: other, second: stale) == nil)
    }

    @Test func `the sub-class differs on purpose`() {
        #expect(twice(words(irr: [0x41], isr: [0x35], tpr: 0x31, ppr: 0x30)) == nil)
    }

    // MARK: C2

    private func entry(
        irr: [UInt8] = [0x41], isr: [UInt8] = [], tpr: UInt8 = 0, injects: Bool = false, waits: Bool = false
    ) -> MemoryProofs.L2Entry {
        .init(words: words(irr: irr, isr: isr, tpr: tpr, ppr: 0), injects: injects, waitsOnPurpose: waits)
    }

    @Test func `deliverable at two entries of L2 that do nothing about it`() {
        #expect(MemoryProofs.forgottenInterrupt(first: entry(), second: entry()) == 0x41)
    }

    @Test func `injecting, waiting for a window or a priority in the way explain it, at either entry`() {
        for excused in [entry(injects: true), entry(waits: true), entry(tpr: 0x40), entry(isr: [0x61]), entry(irr: [])]
        {
            #expect(MemoryProofs.forgottenInterrupt(first: excused, second: entry()) == nil)
            #expect(MemoryProofs.forgottenInterrupt(first: entry(), second: excused) == nil)
        }
    }

    @Test func `another vector at the second entry means that the first went`() {
        #expect(MemoryProofs.forgottenInterrupt(first: entry(irr: [0x51]), second: entry(irr: [0x41])) == nil)
    }
}
