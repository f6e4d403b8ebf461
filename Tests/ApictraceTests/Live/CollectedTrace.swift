// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

@testable import apictrace

/// Everything that the probes send while the guest of Tests/Guest runs, as the sink sees it.
struct CollectedTrace: EventSink {
    private(set) var events: [KVMEvent] = []
    private(set) var states: [VCPUState] = []
    private(set) var processes: Set<Int32> = []
    private(set) var totals = TraceTotals()
    private(set) var guest: Int32 = 0

    init(_ options: LiveOptions = LiveOptions(), ipis: Int, timers: Int) throws {
        var source = try LiveSource.start(options, host: .current, types: KernelTypes())
        let guest = try Guest(ipis: ipis, timers: timers)
        self.guest = guest.thread
        while guest.isRunning {
            try source.drain(into: &self)
            usleep(10_000)
        }
        try source.finish(into: &self)
        totals = source.totals()
    }

    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event(let event): events.append(event)
        case .fact(.state(let state)): states.append(state)
        case .fact(.process(let process)): processes.insert(process)
        case .lost, .fact: break
        }
    }
}
