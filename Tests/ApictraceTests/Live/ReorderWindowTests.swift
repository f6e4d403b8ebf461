// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import apictrace

@Suite struct ReorderWindowTests {
    private func due(_ window: inout ReorderWindow) -> [UInt64] {
        defer { _ = window.removeDue() }
        return window.entries[..<window.due].map(\.time)
    }

    @Test func `an inversion across two drains is put right`() {
        var window = ReorderWindow()
        for time: UInt64 in [10, 30] { window.insert(time, at: 0) }
        // A third record, older than 30, is reserved and not committed yet.
        window.endDrain(consumed: 80, produced: 120)
        #expect(due(&window) == [])
        for time: UInt64 in [20, 40] { window.insert(time, at: 0) }
        window.endDrain(consumed: 160, produced: 160)
        #expect(due(&window) == [10, 20, 30])
        window.end()
        #expect(due(&window) == [40])
    }

    @Test func `nothing goes while a record from before the bound is missing`() {
        var window = ReorderWindow()
        window.insert(10, at: 0)
        window.endDrain(consumed: 40, produced: 120)
        window.insert(30, at: 0)
        window.endDrain(consumed: 80, produced: 120)
        #expect(due(&window) == [])
        window.insert(5, at: 0)
        window.endDrain(consumed: 120, produced: 120)
        #expect(due(&window) == [5, 10])
    }

    @Test func `records of one time keep the ring's order`() {
        var window = ReorderWindow()
        for position: UInt64 in [24, 48, 72] { window.insert(7, at: position) }
        window.end()
        #expect(window.entries.map(\.position) == [24, 48, 72])
    }

    @Test func `the gaps of a drain come before all records that are later than its start`() {
        var window = ReorderWindow()
        for time: UInt64 in [10, 20, 30] { window.insert(time, at: time) }
        window.insertHoles(2, at: 20)
        window.insertHoles(0, at: 5)
        window.end()
        #expect(window.entries.map(\.time) == [10, 20, 20, 20, 30])
        #expect(window.entries.map { $0.position == ReorderWindow.Entry.none } == [false, false, true, true, false])
    }

    @Test func `the room of records goes back up to the first that still waits`() {
        var window = ReorderWindow()
        for (time, position): (UInt64, UInt64) in [(10, 0), (30, 40), (20, 80)] { window.insert(time, at: position) }
        window.insert(15, at: ReorderWindow.Entry.none)
        window.endDrain(consumed: 120, produced: 120)
        #expect(window.removeDue() == 0)
        for (time, position): (UInt64, UInt64) in [(25, 120), (40, 160)] { window.insert(time, at: position) }
        window.endDrain(consumed: 200, produced: 200)
        #expect(window.entries[..<window.due].map(\.time) == [10, 15, 20, 25, 30])
        #expect(window.removeDue() == 160)
        window.end()
        #expect(window.removeDue() == ReorderWindow.Entry.none)
    }
}
