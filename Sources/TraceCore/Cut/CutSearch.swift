// SPDX-License-Identifier: Apache-2.0

/// Looks for a small part of a trace of which the analysis says of one finding what it says of the whole.
///
/// What a grade rests on is nowhere written down but in the rules themselves, so they are asked: parts are analysed until one is
/// found that tells the same. It begins with what lies around the finding's events, widens that until it does, and then leaves out
/// one stretch after the other as long as it still does. Every part that is tried costs a pass over the file, so their number is
/// limited, and a part may be larger than it has to be; none says anything else than the whole.
struct CutSearch {
    let sample: TimeSample
    /// Threads of other VMs.
    let others: Set<Int32>
    /// What a plan takes in any case.
    let frame: CutPlan
    /// Times of the finding's events.
    let evidence: [UInt64]
    /// Passes over the file.
    private(set) var trials = 0

    private var limit: Int { Int(min(400, max(48, 60_000_000 / max(1, sample.events)))) }

    init(sample: TimeSample, others: Set<Int32>, frame: CutPlan, evidence: [UInt64]) {
        self.sample = sample
        self.others = others
        self.frame = frame
        self.evidence = evidence
    }

    /// - Parameter tellsTheSame: of the analysis of what a plan takes.
    /// - Returns: nil where not even all of the finding's VM does.
    mutating func run<Failure: Error>(
        _ tellsTheSame: (CutPlan) throws(Failure) -> Bool
    ) throws(Failure) -> CutPlan? {
        let count = sample.times.count
        let centres = Set(evidence.map { sample.stretch(of: $0) })
        var kept = [Bool](repeating: false, count: count)
        var width = 0
        repeat {
            for centre in centres {
                for index in max(0, centre - width)..<min(count, centre + width + 1) { kept[index] = true }
            }
            if try isEnough(kept, tellsTheSame) { return plan(try leaveOut(from: kept, centres, tellsTheSame)) }
            width = max(1, 2 * width)
        } while kept.contains(false)
        return nil
    }

    /// The longest stretches first; one that can't be left out as a whole may be in halves.
    private mutating func leaveOut<Failure: Error>(
        from found: [Bool], _ centres: Set<Int>, _ tellsTheSame: (CutPlan) throws(Failure) -> Bool
    ) throws(Failure) -> [Bool] {
        var kept = found
        var ranges = Self.runs(of: kept)
        while trials < limit, let longest = ranges.indices.max(by: { ranges[$0].count < ranges[$1].count }) {
            let range = ranges.remove(at: longest)
            if !range.contains(where: { centres.contains($0) }) {
                var fewer = kept
                for index in range { fewer[index] = false }
                if try isEnough(fewer, tellsTheSame) {
                    kept = fewer
                    continue
                }
            }
            guard range.count > 1 else { continue }
            let middle = range.lowerBound + range.count / 2
            ranges += [range.lowerBound..<middle, middle..<range.upperBound]
        }
        return kept
    }

    private mutating func isEnough<Failure: Error>(
        _ kept: [Bool], _ tellsTheSame: (CutPlan) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        trials += 1
        return try tellsTheSame(plan(kept))
    }

    private func plan(_ kept: [Bool]) -> CutPlan {
        var plan = frame
        plan.parts.append(CutPlan.Part(windows: sample.windows(of: kept), others: others))
        return plan
    }

    private static func runs(of kept: [Bool]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in kept.indices where kept[index] {
            if index > 0, kept[index - 1], let last = runs.popLast() {
                runs.append(last.lowerBound..<(index + 1))
            } else {
                runs.append(index..<(index + 1))
            }
        }
        return runs
    }
}
