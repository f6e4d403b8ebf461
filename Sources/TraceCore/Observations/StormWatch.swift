// SPDX-License-Identifier: Apache-2.0

/// Observation `storm`: one vCPU's level-triggered interrupts that come again as soon as they are ended, round after
/// round, as where an IOAPIC in user space takes no notice of the guest's directed EOI, or a handler never quiets its
/// device.
struct StormWatch: Sendable {
    /// Rounds in a row: the vector was accepted, and ended.
    struct Rounds: Equatable, Sendable {
        let vector: UInt8
        /// Ended in this level.
        var level: Level
        var first: UInt64
        var last: UInt64
        var accepted: UInt64 = 1
        var ended: UInt64 = 1
        /// Got as far as L2.
        var passed: UInt64 = 0
        var isAwaitingAccept = true
        var hasUserIOAPIC = false

        fileprivate init(_ vector: UInt8, level: Level, at time: UInt64) {
            self.vector = vector
            self.level = level
            (first, last) = (time, time)
        }

        /// Of an interrupt that L1 passes on, half the rounds at most are its own work: the guest it is for does not get the
        /// others. Whether L1's own is due each time isn't known, so that it takes a great many.
        var isStorm: Bool {
            passed > 0 ? ended >= StormWatch.roundsNeeded && passed <= ended / 2 : ended >= StormWatch.roundsOfOneLevel
        }
    }

    private var rounds: [Rounds] = []
    /// The longest storm of each vector.
    private(set) var storms: [Rounds] = []
    private var latest: (vector: UInt8, level: Level, time: UInt64)?

    /// A device that has more to do asserts its line again soon after the EOI, but its driver in L2 hears of it each time.
    /// Fifty rounds of which L2 gets half at most are none of that; no recording has two in a row. A public case has 80
    /// rounds within 5 ms, of which L2 got 10.
    static let roundsNeeded: UInt64 = 50
    /// A disk on a shared line that is kept busy does that for hundreds of rounds. KVM's own IOAPIC speaks of a storm at
    /// 10,000 (IOAPIC_SUCCESSIVE_IRQ_MAX_COUNT, arch/x86/kvm/ioapic.c).
    static let roundsOfOneLevel: UInt64 = 1000
    /// From an EOI to the next accept: enough for the VMM to be notified of the EOI and to assert the line again.
    static let pauseNanoseconds: UInt64 = 100_000

    mutating func accepted(_ vector: UInt8, at time: UInt64) {
        guard let index = rounds.firstIndex(where: { $0.vector == vector }) else { return }
        guard rounds[index].isAwaitingAccept, time.elapsed(since: rounds[index].last) <= Self.pauseNanoseconds else {
            // Accepted twice it is one interrupt; after a pause it is another story.
            if rounds[index].isAwaitingAccept { remove(index) }
            return
        }
        rounds[index].isAwaitingAccept = false
        rounds[index].accepted &+= 1
    }

    mutating func passedOn(_ vector: UInt8) {
        guard let index = rounds.firstIndex(where: { $0.vector == vector }) else { return }
        rounds[index].passed &+= 1
    }

    /// - Parameter isLevel: the exit was there to tell KVM of the EOI (EOI_INDUCED).
    mutating func ended(_ vector: UInt8, level: Level, isLevel: Bool, at time: UInt64) {
        latest = (vector, level, time)
        guard let index = rounds.firstIndex(where: { $0.vector == vector }) else {
            if isLevel { rounds.append(Rounds(vector, level: level, at: time)) }
            return
        }
        guard !rounds[index].isAwaitingAccept else { return remove(index) }
        rounds[index].isAwaitingAccept = true
        rounds[index].ended &+= 1
        rounds[index].last = time
    }

    /// The VMM hears of the EOI just told, which makes it a level-triggered interrupt's.
    mutating func toldIOAPIC() {
        guard let latest else { return }
        if !rounds.contains(where: { $0.vector == latest.vector }) {
            rounds.append(Rounds(latest.vector, level: latest.level, at: latest.time))
        }
        for index in rounds.indices where rounds[index].vector == latest.vector { rounds[index].hasUserIOAPIC = true }
    }

    /// What comes next may not be the next round.
    mutating func interrupted() {
        while !rounds.isEmpty { remove(rounds.count - 1) }
    }

    private mutating func remove(_ index: Int) {
        storms = all(adding: rounds[index])
        rounds.remove(at: index)
    }

    /// The storms so far, with those that rage still.
    var all: [Rounds] {
        rounds.reduce(self) { watch, rounds in
            var watch = watch
            watch.storms = watch.all(adding: rounds)
            return watch
        }.storms
    }

    private func all(adding rounds: Rounds) -> [Rounds] {
        guard rounds.isStorm else { return storms }
        guard let known = storms.firstIndex(where: { $0.vector == rounds.vector }) else { return storms + [rounds] }
        var storms = storms
        if storms[known].ended < rounds.ended { storms[known] = rounds }
        return storms
    }
}
