// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// One CPU's events and gaps that were read and have not been delivered, in the order in which they were recorded.
struct FtraceQueue {
    let cpu: Int32
    private var items: [(item: TraceItem, stamp: EventStamp)] = []
    private var taken = 0
    /// Time of the CPU's last event so far.
    private(set) var last: UInt64?

    init(cpu: Int32) {
        self.cpu = cpu
    }

    /// Time of what comes next, nil for nothing.
    var headTime: UInt64? { taken < items.count ? items[taken].stamp.time : nil }

    mutating func next() -> (item: TraceItem, stamp: EventStamp)? {
        guard taken < items.count else { return nil }
        defer { taken += 1 }
        return items[taken]
    }

    /// Forgets what was taken.
    mutating func compact() {
        items.removeFirst(taken)
        taken = 0
    }

    /// Takes a page apart.
    /// - Returns: records that made no sense, a page that breaks off counting as one.
    mutating func take(_ page: UnsafeRawBufferPointer, _ reader: FtraceReader) -> UInt64 {
        guard var cursor = PageCursor(page: page, layout: reader.layout) else { return 1 }
        var unknown: UInt64 = 0
        switch cursor.loss {
        case .none: break
        case .uncounted: lost(nil, before: cursor)
        case .counted(let events): lost(events, before: cursor)
        }
        while cursor.next(reader.tally) {
            guard let event = reader.decoder.event(cursor.record, binding: cursor.binding) else {
                unknown += 1
                continue
            }
            let stamp = EventStamp(time: cursor.time, cpu: cpu, tid: cursor.record.tid(.little))
            items.append((.event(event), stamp))
            last = cursor.time
        }
        return unknown + (cursor.fault == nil ? 0 : 1)
    }

    private mutating func lost(_ events: UInt64?, before page: PageCursor) {
        let end = page.firstTime() ?? page.time
        let gap = EventGap(instance: 0, cpu: cpu, from: last, to: end, events: events)
        items.append((.lost(gap), EventStamp(time: last ?? end, cpu: cpu, tid: 0)))
    }
}
