// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// The beginnings that tests of `stale-svi` and of waits share, up to a crossing.
extension Trace {
    /// L2 runs, and its task priority is known. No crossing.
    static func takingInterrupts() -> Trace {
        var trace = inL2()
        trace.accessDirectly(0x80, write: true)
        // KVM injects what it can: kvm_inj_virq is on.
        trace.deliver(0x22)
        trace.endDirectly(0x22)
        return trace
    }

    /// L1 doesn't intercept external interrupts and hooks the APIC page: `vector` is injected into L2 and ended by L1.
    ///
    /// - Parameter tpr: shown before, so that it is known not to mask.
    static func endedByL1(_ vector: UInt8 = 0x51, tpr: UInt8? = 0, recorded: EventKindSet = .init(rawValue: .max))
        -> Trace
    {
        var trace = Trace(recorded: recorded)
        trace.createVM()
        trace.resumeL2()
        if let tpr { trace.accessDirectly(0x80, write: true, value: UInt64(tpr)) }
        trace.exitOfL2()
        trace.inject(vector)
        trace.enter()
        trace.endHooked()
        return trace
    }

    /// L1 intercepts external interrupts, takes `vector` in silence and passes it on; L2 ends it directly.
    static func endedByL2(_ vector: UInt8 = 0x30) -> Trace {
        var trace = inL2()
        trace.accept(vector)
        trace.offer(passingOn: vector)
        trace.endDirectly(Int32(vector))
        return trace
    }

    /// L0 reflects an external interrupt to L1, which goes back to L2 with it or with nothing.
    mutating func offer(passingOn vector: UInt8? = nil) {
        exitOfL2(.externalInterrupt)
        forward(.externalInterrupt)
        enter()
        resumeL2(injecting: vector)
    }

    /// L1 doesn't take it, so that KVM, which sees it wait, hands L1 another exit.
    mutating func offerInVain() {
        offer()
        offer()
    }

    /// L1's EOI ends another vector than the one in service (S3).
    mutating func missEOI(telling vector: Int32 = 0) {
        accessHooked(0xb0, write: true)
        exitOfL1(.eoiInduced)
        eoi(vector)
        enter()
        resumeL2()
    }
}
