// SPDX-License-Identifier: Apache-2.0

/// Events that processes lost: each was of one of the process's VMs, which may show only later, or never.
struct ProcessLosses: Sendable {
    private struct Loss {
        var process: Int32
        /// A VM of the process that shows up to this time has lost some of its events.
        var until: UInt64
        var events: UInt64
        /// Those of them that no VM was charged with.
        var unplaced: UInt64
        /// Its id may be another process's: the loss is that one's only where its VM shows in time.
        var hasEnded = false
    }

    private var losses: [Loss] = []
    /// What there was no room for, or what processes that have ended lost.
    private var hasLeftSome = false
    /// Events that VMs were charged with.
    private(set) var ofVMs: UInt64 = 0

    /// No host runs so many VMs at once; a damaged file may name as many processes.
    static let capacity = 4096

    /// Some VM that was never seen has lost events.
    var hasUnplaced: Bool { hasLeftSome || losses.contains { $0.unplaced > 0 } }

    /// - Parameter isPlaced: VMs of the process are known, and were charged with them.
    mutating func add(_ events: UInt64, of process: Int32, now: UInt64, until: UInt64, isPlaced: Bool) {
        losses.removeAll { $0.hasEnded && $0.until < now }
        if isPlaced { ofVMs = ofVMs.addingClamped(events) }
        let unplaced = isPlaced ? 0 : events
        if let known = losses.firstIndex(where: { $0.process == process && !$0.hasEnded }) {
            losses[known].until = max(losses[known].until, until)
            losses[known].events = losses[known].events.addingClamped(events)
            losses[known].unplaced = losses[known].unplaced.addingClamped(unplaced)
        } else if losses.count < Self.capacity {
            losses.append(Loss(process: process, until: until, events: events, unplaced: unplaced))
        } else {
            hasLeftSome = true
        }
    }

    /// How many events a VM of the process that shows now has lost, 0 for none.
    ///
    /// - Parameter isNew: it begins now. One that does not may have been there all the time.
    mutating func take(of process: Int32, now: UInt64, isNew: Bool) -> UInt64 {
        var taken: UInt64 = 0
        for index in losses.indices where losses[index].process == process {
            let loss = losses[index]
            guard now <= loss.until || loss.unplaced > 0 || !isNew && !loss.hasEnded else { continue }
            ofVMs = ofVMs.addingClamped(loss.unplaced)
            losses[index].unplaced = 0
            taken = taken.addingClamped(loss.events)
        }
        return taken
    }

    /// Its id may be another process's from now on.
    mutating func ended(_ process: Int32) {
        for index in losses.indices where losses[index].process == process {
            if losses[index].unplaced > 0 { hasLeftSome = true }
            losses[index].unplaced = 0
            losses[index].hasEnded = true
        }
    }
}
