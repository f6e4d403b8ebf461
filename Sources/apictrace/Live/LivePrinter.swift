// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Where live events go until a machine takes them: a line an event, and the counts at the end.
struct LivePrinter: LiveEventSink {
    private var text = ""

    mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        line("\(event)", at: stamp)
    }

    mutating func state(_ state: VCPUState, at stamp: EventStamp) {
        line("\(state)", at: stamp)
    }

    mutating func words(_ words: LAPICWords, at stamp: EventStamp) {
        line("\(words)", at: stamp)
    }

    mutating func thread(_ tid: Int32, of process: Int32) {
        text += "thread \(tid) of process \(process)\n"
    }

    mutating func lost(_ gap: EventGap) {
        text += "lost \(gap.events ?? 0) on CPU \(gap.cpu)\n"
    }

    /// Prints what is left and `count NAME HITS` for each kind that was hit.
    mutating func finish(_ session: borrowing LiveSession) {
        for vm in session.found {
            text += "vm \(vm.process) \(vm.command) vcpus \(vm.vcpus)\n"
        }
        for kind in EventKind.allCases where session.source.hits(kind) > 0 {
            text += "count \(kind.tracepoints[0]) \(session.source.hits(kind))\n"
        }
        text += "dropped \(session.source.dropped)\n"
        flush()
    }

    private mutating func line(_ description: String, at stamp: EventStamp) {
        text += "\(stamp.time) [\(stamp.cpu)] \(stamp.tid) \(description)\n"
        if text.utf8.count > 1 << 16 { flush() }
    }

    private mutating func flush() {
        Console.output(text)
        text = ""
    }
}
