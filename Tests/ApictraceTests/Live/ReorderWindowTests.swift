import Testing
// SPDX-License-Identifier: Apache-2.0
import TraceCore

@testable import apictrace

@Suite struct ReorderWindowTests {
    private func item(_ time: UInt64) -> LiveItem {
        LiveItem(
            stamp: EventStamp(time: time, cpu: 0, tid: 1), process: 1,
            content: .event(.apicIPI(KVMEvent.APICIPI(icrLow: 0, destination: 0))))
    }

    private func due(_ window: inout ReorderWindow) -> [UInt64] {
        defer { window.removeDue() }
        return window.items[..<window.due].map(\.stamp.time)
    }

    @Test func `an inversion across two drains is put right`() {
        var window = ReorderWindow()
        for time: UInt64 in [10, 30] { window.insert(item(time)) }
        // A third record, older than 30, is reserved and not committed yet.
        window.endDrain(consumed: 80, produced: 120)
        #expect(due(&window) == [])
        for time: UInt64 in [20, 40] { window.insert(item(time)) }
        window.endDrain(consumed: 160, produced: 160)
        #expect(due(&window) == [10, 20, 30])
        window.end()
        #expect(due(&window) == [40])
    }

    @Test func `nothing goes while a record from before the bound is missing`() {
        var window = ReorderWindow()
        window.insert(item(10))
        window.endDrain(consumed: 40, produced: 120)
        window.insert(item(30))
        window.endDrain(consumed: 80, produced: 120)
        #expect(due(&window) == [])
        window.insert(item(5))
        window.endDrain(consumed: 120, produced: 120)
        #expect(due(&window) == [5, 10])
    }

    @Test func `records of one time keep the ring's order`() {
        var window = ReorderWindow()
        for cpu: Int32 in [3, 1, 2] {
            var item = item(7)
            item.stamp.cpu = cpu
            window.insert(item)
        }
        window.end()
        #expect(window.items.map(\.stamp.cpu) == [3, 1, 2])
    }
}
