// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Where live events go until a machine takes them: a line an event if asked for, and the counts at the end.
struct LivePrinter: LiveEventSink {
    let showsEvents: Bool
    private var received: UInt64 = 0

    init(showsEvents: Bool) {
        self.showsEvents = showsEvents
    }

    mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        received += 1
        if showsEvents { line("\(event)", stamp) }
    }

    func state(_ state: VCPUState, at stamp: EventStamp) {
        line("\(state)", stamp)
    }

    func lapic(_ reading: LAPICReading, at stamp: EventStamp) {
        line("\(reading)", stamp)
    }

    func thread(_ tid: Int32, of process: Int32) {
        print("thread \(tid) of process \(process)")
    }

    func lost(_ gap: EventGap) {
        print("lost \(gap.events ?? 0) on CPU \(gap.cpu)")
    }

    /// Prints `count NAME HITS` for each kind that was hit, and what came of them.
    func finish(_ session: borrowing LiveSession) {
        for vm in session.found {
            print("vm \(vm.process) \(vm.command) vcpus \(vm.vcpus)")
        }
        for kind in EventKind.allCases where session.source.hits(kind) > 0 {
            print("count \(kind.tracepoints[0]) \(session.source.hits(kind))")
        }
        print("received \(received)")
        print("dropped \(session.source.dropped)")
        print("missed \(session.source.missed)")
    }

    /// The same of a source without counts of its own.
    func finish(_ totals: TraceTotals, found: [FoundVM]) {
        for vm in found {
            print("vm \(vm.process) \(vm.command) vcpus \(vm.vcpus)")
        }
        for (name, count) in totals.byName.sorted(by: { $0.key < $1.key }) where count > 0 {
            print("count \(name) \(count)")
        }
        print("received \(received)")
        print("dropped \(totals.overrun ?? 0)")
    }

    private func line(_ description: String, _ stamp: EventStamp) {
        print("\(stamp.time) [\(stamp.cpu)] \(stamp.tid) \(description)")
    }
}
