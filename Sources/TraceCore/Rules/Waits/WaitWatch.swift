// SPDX-License-Identifier: Apache-2.0

/// The waits of one vCPU: those that go on, those that something broke off after a sign, and those that ended late.
struct WaitWatch: Sendable {
    /// What waited for long and came after all: late is not lost.
    struct Late: Equatable, Sendable {
        var vector: UInt8
        var accepted: EventStamp
        var delivered: EventStamp

        var outlivesHealthyWaits: Bool {
            delivered.time.elapsed(since: accepted.time) >= Wait.outlivingNanoseconds
        }
    }

    private var open: [Wait] = []
    private var brokenOff: [Wait] = []
    /// The vCPU was reset while they went on: what comes later is another life's, and withdraws nothing.
    private var ofEarlierLives: [Wait] = []
    private var clock = RunClock()
    private(set) var late: [Late] = []

    private static let capacity = 16

    /// Nothing waits.
    var isIdle: Bool { open.isEmpty }
    /// Nothing waits, and nothing that was broken off could still turn out to have been late.
    var isEmpty: Bool { open.isEmpty && brokenOff.isEmpty }

    /// Every wait with a sign, by vector.
    var found: [Wait] {
        (ofEarlierLives + open + brokenOff).filter(\.hasSign).sorted { $0.vector < $1.vector }
    }

    // MARK: Events

    /// - Parameter isOffered: L1 passes on what its APIC accepts, and nothing shows that this is masked.
    mutating func accepted(
        _ vector: UInt8, level: Level, afterCrossing: Bool, isOffered: Bool, isInService: Bool, at stamp: EventStamp
    ) {
        if open.isEmpty { clock.stops() }
        if let index = open.firstIndex(where: { $0.vector == vector }) {
            open[index].acceptedAgain(inL2: level == .l2, isOffered: isOffered, clock, at: stamp)
            if afterCrossing { open[index].isAfterCrossing = true }
        } else if level == .l2 {
            var wait = Wait(vector, accepted: stamp, isInService: isInService)
            wait.isAfterCrossing = afterCrossing
            open.append(wait)
        }
    }

    /// Its EOI.
    mutating func ended(_ vector: UInt8, at stamp: EventStamp) {
        if let index = open.firstIndex(where: { $0.vector == vector }), !open[index].endedByEOI() { return }
        delivered(vector, at: stamp)
    }

    /// The vector was delivered, or its EOI shows that it had been.
    mutating func delivered(_ vector: UInt8, at stamp: EventStamp) {
        for wait in open + brokenOff where wait.vector == vector && wait.hasSign && late.count < Self.capacity {
            late.append(Late(vector: vector, accepted: wait.accepted, delivered: stamp))
        }
        open.removeAll { $0.vector == vector }
        brokenOff.removeAll { $0.vector == vector }
    }

    /// An interrupt went ahead of those that wait.
    ///
    /// - Parameter chosen: KVM chose it after this time: what was accepted later it may not have seen.
    mutating func otherDelivered(
        _ vector: UInt8, intoL2: Bool, chosenAfter chosen: UInt64, _ event: EventKind, at stamp: EventStamp
    ) {
        for index in open.indices {
            let outranked =
                intoL2 && open[index].vector.priorityClass > vector.priorityClass && open[index].accepted.time < chosen
            open[index].otherDelivered(outranked: outranked, event, at: stamp)
        }
    }

    mutating func windowOpened() {
        for index in open.indices { open[index].windowOpened() }
    }

    /// - Parameters:
    ///   - injects: another event goes first.
    ///   - held: the highest priority class that the guest itself holds back.
    mutating func enteredL2(injects: Bool, held: PriorityClass?, at stamp: EventStamp) {
        for index in open.indices {
            if let held, open[index].vector.priorityClass <= held {
                open[index].restart()
            } else {
                open[index].enteredL2(injects: injects, clock, at: stamp)
            }
        }
    }

    /// The vCPU enters either level, after an exit at `exited`. `slept`: that was a HLT.
    mutating func entered(exited: UInt64, slept: Bool, at stamp: EventStamp) {
        clock.entered(at: stamp.time, exited: exited, slept: slept)
    }

    mutating func enteredL1(silently: Bool) {
        for index in open.indices { open[index].enteredL1(silently: silently) }
    }

    mutating func reflected() {
        for index in open.indices { open[index].reflected() }
    }

    /// - Parameter held: the highest priority class that the guest itself holds back.
    mutating func returnedEmpty(held: PriorityClass?, at stamp: EventStamp) {
        for index in open.indices where (held ?? .lowest) < open[index].vector.priorityClass {
            open[index].returnedEmpty(clock, at: stamp)
        }
    }

    /// KVM_GUESTDBG_BLOCKIRQ held everything back up to now.
    mutating func restart() {
        for index in open.indices { open[index].windowClosed() }
    }

    /// What goes on may have ended where nobody looked.
    mutating func breakOff() {
        for wait in open where wait.hasSign && brokenOff.count < Self.capacity {
            var wait = wait
            wait.isStanding = false
            brokenOff.append(wait)
        }
        open = []
    }

    /// The vCPU's APIC begins anew, and with it what may wait.
    mutating func reset() {
        ofEarlierLives += (open + brokenOff).filter(\.hasSign).prefix(Self.capacity - ofEarlierLives.count)
        open = []
        brokenOff = []
    }
}
