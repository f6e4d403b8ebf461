// SPDX-License-Identifier: Apache-2.0

/// Events that processes lost: each was of one of the process's VMs, which may show only later, or never.
struct ProcessLosses: Sendable {
    private struct Loss {
        var process: Int32
        /// A VM of the process that shows up to this time has lost some of its events.
        var until: UInt64
        var events: UInt64
        /// Some VM has shown that is told to have lost them.
        var isPlaced: Bool
    }

    private var losses: [Loss] = []
    /// What there was no room for, or what processes that have ended lost.
    private var hasLeftSome = false
    /// Events that VMs were told to have lost.
    private(set) var ofVMs: UInt64 = 0

    /// No host runs so many VMs at once; a damaged file may name as many processes.
    static let capacity = 4096

    /// Some VM that was never seen has lost events.
    var hasUnplaced: Bool { hasLeftSome || losses.contains { !$0.isPlaced } }

    /// - Parameter isPlaced: VMs of the process are known, and were told.
    mutating func add(_ events: UInt64, of process: Int32, now: UInt64, until: UInt64, isPlaced: Bool) {
        losses.removeAll { $0.isPlaced && ($0.until < now || $0.process == process) }
        if isPlaced { ofVMs &+= events }
        if let known = losses.firstIndex(where: { $0.process == process }) {
            losses[known].until = max(losses[known].until, until)
            losses[known].events &+= events
        } else if losses.count < Self.capacity {
            losses.append(Loss(process: process, until: until, events: events, isPlaced: isPlaced))
        } else {
            hasLeftSome = true
        }
    }

    /// How many events a VM of the process that shows now has lost, 0 for none.
    mutating func take(of process: Int32, now: UInt64) -> UInt64 {
        guard let index = losses.firstIndex(where: { $0.process == process }) else { return 0 }
        let loss = losses[index]
        if loss.isPlaced { return now <= loss.until ? loss.events : 0 }
        losses[index].isPlaced = true
        ofVMs &+= loss.events
        return loss.events
    }

    /// Its id may be another process's from now on.
    mutating func ended(_ process: Int32) {
        for index in losses.indices where losses[index].process == process && !losses[index].isPlaced {
            losses[index].isPlaced = true
            hasLeftSome = true
        }
    }
}
