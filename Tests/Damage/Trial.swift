// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Glibc
import TraceCore

/// One recording's damages, and what the analysis made of them.
struct Trial {
    /// Longest that an input may take, in seconds, however busy the machine is: the whole recording takes a fraction of one.
    private static let slowest = 20.0
    /// The tool's bar, in megabytes of memory of the whole process.
    private static let mostMemory = 64

    /// Events that may be gone without a word, less than half a page's. Data has no check sums: a record whose flipped length
    /// takes the next few in can look as good as any, and in a compressed chunk one bit may do that to several.
    private static let mostUntold: UInt64 = 32

    private let name: String
    private let file: DamagedFile
    private let each: Int
    private let seconds: Double
    private let whole: Outcome
    private var random: TestRandom
    private let start = ContinuousClock.now
    private var cuts = 0
    private var flips = 0
    /// Flips that took a few events, which nothing shows.
    private var untold = 0
    /// Damages for which the time did not suffice.
    private var left = 0
    private var longest = 0.0
    private(set) var faults: [String] = []

    /// Nil where the undamaged file can't be read.
    init?(_ path: String, each: Int, seconds: Double) {
        guard let file = DamagedFile(path), let whole = Outcome(file, isRendered: true) else { return nil }
        name = path
        self.file = file
        self.each = each
        self.seconds = seconds
        self.whole = whole
        random = TestRandom(seed: file.size)
    }

    private var inputs: Int { cuts + flips }

    var summary: String {
        let leftOut = left > 0 ? ", \(left) left out for want of time" : ""
        return "\(name): \(cuts) cuts, \(flips) flips (\(untold) unseen)\(leftOut): \(faults.count) faults, at most "
            + "\(Int(longest * 1000)) ms, \(Self.peakMemory) MB"
    }

    /// So far, in megabytes.
    private static var peakMemory: Int {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage.ru_maxrss / 1024
    }

    mutating func run() {
        flipBits()
        cut()
    }

    private var hasTime: Bool { elapsed(since: start) < seconds }

    private func elapsed(since start: ContinuousClock.Instant) -> Double {
        let elapsed = (ContinuousClock.now - start).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }

    private mutating func outcome(_ damage: String) -> Outcome? {
        let start = ContinuousClock.now
        let memory = Self.peakMemory
        let outcome = Outcome(file, isRendered: inputs % 8 == 0)
        let took = elapsed(since: start)
        longest = max(longest, took)
        if took > Self.slowest { faults.append("\(damage): took \(took) s") }
        if Self.peakMemory > max(Self.mostMemory, memory) { faults.append("\(damage): takes \(Self.peakMemory) MB") }
        if let outcome, !outcome.isWhole, outcome.verdict == .clean { faults.append("\(damage): clean") }
        return outcome
    }

    private mutating func flipBits() {
        for _ in 0..<each {
            guard hasTime || flips < each / 20 else {
                left += 1
                continue
            }
            let offsets = (0...(random.next() % 8)).map { _ in random.next() % file.size }
            let bits = offsets.map { (offset: $0, bit: UInt8(1) << UInt8(random.next() % 8)) }
            file.flip(bits)
            let outcome = outcome("bits flipped: \(bits)")
            file.flip(bits)
            flips += 1
            guard let outcome, outcome.isWhole, outcome.doubts == whole.doubts, outcome.events < whole.events else {
                continue
            }
            untold += 1
            if whole.events - outcome.events > Self.mostUntold {
                faults.append("bits flipped: \(bits): \(outcome.events) events of \(whole.events), not told")
            }
        }
    }

    /// From the end to the start: each cut leaves a part of what the one before it left, and so no more events.
    private mutating func cut() {
        let edges = SectionEdges(file).offsets
        var offsets: Set<UInt64> = []
        while offsets.count < min(each, Int(file.size) / 2) { offsets.insert(random.next() % file.size) }
        var most = whole.events
        for size in offsets.union(edges).filter({ $0 < file.size }).sorted(by: >) {
            guard hasTime || edges.contains(size) else {
                left += 1
                continue
            }
            file.cut(to: size)
            cuts += 1
            guard let outcome = outcome("cut at \(size)") else { continue }
            if outcome.isWhole { faults.append("cut at \(size): not told") }
            if outcome.events > most { faults.append("cut at \(size): \(outcome.events) events of \(most)") }
            most = min(most, outcome.events)
        }
    }
}
