// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A listing of events that a test gives.
struct Listing {
    enum Line {
        /// Nanoseconds, CPU, thread.
        case at(UInt64, cpu: Int32 = 0, tid: Int32 = 500, KVMEvent)
        case lost(EventGap)
    }

    var clock = TraceClock(name: "local", unit: .nanoseconds)
    var recorded = EventKindSet(rawValue: .max)
    var inhibitNames: [String] = []
    var options = ListingOptions()

    /// - Parameter base: time of the trace's first record.
    func text(base: UInt64 = 1_000_000_000, _ lines: [Line]) -> String {
        var info = TraceInfo(format: "test", clock: clock, cpus: 2)
        info.recordedKinds = recorded
        info.inhibitNames = inhibitNames
        var bytes: [UInt8] = []
        var listing = EventListing(info: info, options: options) { bytes += $0 }
        listing.started(at: base)
        for line in lines {
            switch line {
            case .at(let time, let cpu, let tid, let event):
                listing.event(event, at: EventStamp(time: time, cpu: cpu, tid: tid))
            case .lost(let gap): listing.lost(gap)
            }
        }
        listing.finish()
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What stands from the level on, a line an event.
    func tails(_ lines: [Line]) -> [Substring] {
        text(lines).split(separator: "\n").map { $0.dropFirst(34) }
    }
}
