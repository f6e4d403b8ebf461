// SPDX-License-Identifier: Apache-2.0

/// Proof C2 on one vCPU: an interrupt that L2 could take at two entries in a row, of which KVM does nothing. Live only,
/// from the words of the local APIC just before each entry, where posted interrupts have been folded in.
///
/// Readings come entry by entry while an interrupt is deliverable, and once more when none is.
struct ForgottenInterrupt: Sendable {
    private struct Entry: Sendable {
        var state: MemoryProofs.L2Entry
        var at: EventStamp
    }

    /// Read, and the entry itself is still to come.
    private var next: Entry?
    private var previous: Entry?

    private(set) var vectors: Set<UInt8> = []
    private var first: UInt64 = 0
    private var last: UInt64 = 0
    private var count: UInt64 = 0
    private var log = EvidenceLog()

    /// Words read before an entry of L2. With its interrupts off it waits rightly, whatever KVM does.
    mutating func read(_ reading: LAPICReading, at stamp: EventStamp) {
        guard case .l2Entry(let pending) = reading.occasion else { return }
        let waits = !pending.isEmpty || reading.interruptFlag == false
        next = Entry(state: .init(words: reading.words, injects: false, waitsOnPurpose: waits), at: stamp)
    }

    /// An entry would tell something: there was a reading before it.
    var isWatching: Bool { next != nil || previous != nil }

    /// The vCPU enters a level. Without a reading before it, nothing was deliverable.
    mutating func entered(_ level: Level, injects: Bool) {
        guard level == .l2, var entry = next else {
            if isWatching { interrupted() }
            return
        }
        next = nil
        entry.state.injects = injects
        defer { previous = entry }
        guard let before = previous,
            let vector = MemoryProofs.forgottenInterrupt(first: before.state, second: entry.state)
        else { return }
        if count == 0 { first = before.at.time }
        last = entry.at.time
        count &+= 1
        guard vectors.insert(vector).inserted else { return }
        log.add(
            "kvm_entry", at: before.at, isKey: true, "L2 entered, nothing injected: \(before.state.words.description)")
        log.add(
            "kvm_entry", at: entry.at, isKey: true,
            "and again: \(entry.state.words.description); \(vector.hex) outranks "
                + "\(entry.state.words.computedPPR.hex), and no window is asked for")
    }

    /// What comes next need not have lasted since.
    mutating func interrupted() {
        next = nil
        previous = nil
    }

    func finding(vm: VMIndex, vcpu: VCPUIndex) -> RuleFinding? {
        guard count > 0 else { return nil }
        let list = vectors.sorted().listed
        var finding = RuleFinding(
            rule: .lostAccept, grade: .confirmed, vm: vm, vcpu: vcpu, first: first, last: last, count: count,
            statement: "KVM entered L2 \(count + 1) times with \(list) deliverable, and neither injected it nor asked "
                + "for an interrupt window.")
        finding.vectors = vectors.sorted()
        finding.evidence = log
        return finding
    }
}
