// SPDX-License-Identifier: Apache-2.0
import Glibc
package import TraceCore

/// Attacks of a corpus's recordings, and what broke.
package struct Campaign: Sendable {
    /// An invariant that a variant broke, with all that it takes to see it again.
    package struct Violation: Sendable {
        package var invariant: Invariant
        package var recording: String
        package var attack: String
        package var number: Int
        package var seed: UInt64
        /// What was done to the recording.
        package var change: String
        /// What came of it.
        package var result: String

        /// As `apictrace-attack --replay` takes it.
        package var replay: String { "\(recording) \(attack) \(number) --seed \(seed)" }

        package var line: String { "\(invariant.rawValue): \(result)\n    \(change)\n    --replay \(replay)" }
    }

    /// What one attack amounted to.
    package struct Tally: Sendable {
        package var analyses = 0
        package var files = 0
        package var violations = 0
        /// Verdicts above the whole recording's that are allowed.
        package var namedRises = 0

        static func + (left: Tally, right: Tally) -> Tally {
            Tally(
                analyses: left.analyses + right.analyses, files: left.files + right.files,
                violations: left.violations + right.violations, namedRises: left.namedRises + right.namedRises)
        }
    }

    /// Violations that have their cause in common, as far as that shows.
    package struct Group: Sendable {
        package var invariant: Invariant
        /// The attack, or the rule and event of the evidence.
        package var name: String
        package var count = 0
        /// One of each recording.
        package var examples: [Violation] = []
    }

    package let seed: UInt64
    private let corpus: Corpus
    /// Events that the variants of one attack of one recording may have together: how many there are depends on it.
    private let budget: Int
    /// Of so many variants one is written to a file and read back too.
    private let fileInterval: Int
    package private(set) var tallies: [String: Tally] = [:]
    private var groupsByName: [String: Group] = [:]

    package init(_ corpus: Corpus, seed: UInt64, budget: Int, fileInterval: Int = 50) {
        self.corpus = corpus
        self.seed = seed
        self.budget = budget
        self.fileInterval = fileInterval
    }

    package var analyses: Int { tallies.values.reduce(0) { $0 + $1.analyses } }
    package var violations: Int { groupsByName.values.reduce(0) { $0 + $1.count } }

    /// The gravest first.
    package var groups: [Group] {
        groupsByName.values.sorted { ($0.invariant, $0.name) < ($1.invariant, $1.name) }
    }

    /// All attacks of one recording. It may run beside others, in a copy.
    package mutating func run(_ attacks: [Attack] = Attack.all, on recording: HeldRecording) {
        if let whole = corpus.whole(of: recording) {
            check(recording, whole, attack: "none", number: 0)
        }
        for attack in attacks {
            for number in numbers(of: attack, for: recording) {
                guard let changed = attack.changed(recording, number: number, seed: seed, corpus: corpus) else {
                    continue
                }
                check(changed, Judgement(of: changed), attack: attack.name, number: number)
            }
        }
    }

    /// Adds what another one found on other recordings.
    package mutating func add(_ other: Campaign) {
        tallies.merge(other.tallies) { $0 + $1 }
        groupsByName.merge(other.groupsByName) { one, two in
            var sum = one
            sum.count += two.count
            sum.examples += two.examples
            return sum
        }
    }

    /// One variant, checked in every way.
    package mutating func replay(_ recording: HeldRecording, attack: String, number: Int) -> Judgement {
        let judgement = Judgement(of: recording)
        check(recording, judgement, attack: attack, number: number)
        return judgement
    }

    /// All variants where the budget suffices, else as many as it does for, spread evenly.
    private func numbers(of attack: Attack, for recording: HeldRecording) -> [Int] {
        let count = attack.variants(recording)
        let affordable = max(2, budget / max(1, recording.items.count))
        guard count < Attack.unlimited else { return Array(0..<min(affordable, Self.mostRandom)) }
        guard count > affordable else { return Array(0..<count) }
        return (0..<affordable).map { $0 * count / affordable }
    }

    /// Of variants with random numbers in them.
    private static let mostRandom = 500

    private mutating func check(_ recording: HeldRecording, _ judgement: Judgement, attack: String, number: Int) {
        guard let whole = corpus.whole(of: recording) else { return }
        tallies[attack, default: Tally()].analyses += 1
        var broken = Invariant.broken(by: judgement, of: recording, whole: whole)
        if recording.onlyHasLess, judgement.rises(above: whole), broken.isEmpty {
            tallies[attack, default: Tally()].namedRises += 1
        }
        if (tallies[attack]?.analyses ?? 0) % fileInterval == 1,
            let differences = recording.differencesInFile(judgement)
        {
            tallies[attack, default: Tally()].files += 1
            if !differences.isEmpty {
                broken.append(.init(invariant: .file, what: differences.joined(separator: ", ")))
            }
        }
        tallies[attack, default: Tally()].violations += broken.count
        for breach in broken {
            let violation = Violation(
                invariant: breach.invariant, recording: recording.name, attack: attack, number: number, seed: seed,
                change: recording.descriptions.joined(separator: "; "),
                result: "\(breach.what) | \(judgement.summary)")
            let name = breach.group ?? attack
            let key = "\(breach.invariant.rawValue), \(name)"
            groupsByName[key, default: Group(invariant: breach.invariant, name: name)].count += 1
            if groupsByName[key]?.examples.last?.recording != recording.name {
                groupsByName[key]?.examples.append(violation)
            }
        }
    }
}

extension HeldRecording {
    /// Writes it; what live tracing knew goes with it.
    package func write(to path: String) throws(TraceWriterError) {
        var writer = try TraceWriter(path: path, info: info)
        feed(&writer)
        try writer.finish(currentTotals)
    }

    /// In what the recording, written to a file, is judged differently; nil where a file can't hold it as it is.
    fileprivate func differencesInFile(_ judgement: Judgement) -> [String]? {
        guard hasOneOrder, totals.cut == nil, totals.shortRecords == 0, totals.unknownRecords == 0 else { return nil }
        // A file of the writer's describes what it holds.
        guard !info.describesWholeKernel else { return nil }
        // Some of what live tracing knows is written with the record that comes next, whose time it takes.
        guard changes.isEmpty || !hasFacts else { return nil }
        var template = Array("/dev/shm/apictrace-XXXXXX".utf8CString)
        close(mkstemp(&template))
        defer { unlink(template) }
        let path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        do {
            try write(to: path)
            return try Judgement(path: path, window: window).differences(from: judgement)
        } catch {
            return ["\(error)"]
        }
    }

    /// No two CPUs have an event at the same time, and no time goes back: reading a file gives the same order.
    private var hasOneOrder: Bool {
        let events = items.filter { !$0.isGap }
        return zip(events, events.dropFirst()).allSatisfy { one, next in
            one.stamp.time < next.stamp.time || one.stamp.time == next.stamp.time && one.stamp.cpu == next.stamp.cpu
        }
    }
}
