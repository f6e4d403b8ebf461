// SPDX-License-Identifier: Apache-2.0

/// Whether a recording that doesn't show a finding got as far as the one that does: only then it says that the cause is gone.
///
/// A recording that ends too soon looks like one of a sound host. Each measure below is at most as large in a part of a recording as
/// in the whole, so that no part outdoes the whole that it is of.
struct Exercise {
    /// Who shows the finding.
    let shower: Report.VM
    /// Who doesn't.
    let witness: Report.VM
    let names: (shower: String, witness: String)

    enum Answer {
        /// A sentence that shows it.
        case reached(String)
        /// A sentence that says what is missing.
        case notReached(String)
    }

    /// - Parameter vectors: those of the finding's that the witness doesn't name.
    func answer(_ finding: Report.Finding, vectors: [String]) -> Answer {
        if finding.rule.needsL2, !witness.hasL2 {
            return .notReached("No L2 is seen to run in \(names.witness), without which it can't be.")
        }
        if finding.grade >= .suspect, !vectors.isEmpty {
            return arrivals(of: vectors, crossings: finding.crossings, finding.vcpu)
        }
        if finding.rule.isOfAPICvAlone, witness.hasAPICvOff {
            let level = finding.rule.needsL2 ? ", where L2 ran" : ""
            return .reached("APICv was off all the time in \(names.witness)\(level).")
        }
        if !vectors.isEmpty { return arrivals(of: vectors, crossings: finding.crossings, finding.vcpu) }
        switch finding.rule {
        case .l2APICDirect, .l2APICDirectX2APIC: return accesses()
        case .staleSVI, .stuckISR, .lostAccept:
            return arrivals(of: finding.crossings.map(\.vector), crossings: [], finding.vcpu)
        case .inhibitFlapping, .initSIPIRace: return exits()
        }
    }

    /// - Parameter crossings: whose vectors have to come as well, as often as in the one that shows them.
    private func arrivals(of vectors: [String], crossings: [Report.Crossing], _ vcpu: Int32?) -> Answer {
        guard !vectors.isEmpty else {
            return .notReached("It names no vector of which \(names.witness) could show that it comes.")
        }
        let counts = vectors.map { vector in
            // The guest may have given the vector to another vCPU.
            let ways = [{ vcpu == nil || $0 == vcpu }, { _ in true }] as [(Int32?) -> Bool]
            let pairs = ways.map { (shower.deliveries(of: vector, on: $0), witness.deliveries(of: vector, on: $0)) }
            return (vector, pairs.first { $0.1 > $0.0 } ?? pairs[0])
        }
        if let (vector, (shown, seen)) = counts.first(where: { $0.1.1 <= $0.1.0 }) {
            return .notReached(
                seen == 0
                    ? "\(vector) is not seen to arrive in \(names.witness): that it is not lost there proves nothing."
                    : "\(vector) arrives \(seen.times) in \(names.witness) and \(shown.times) in \(names.shower) before it is lost: "
                        + "\(names.witness) may not have come so far."
            )
        }
        for vector in crossings.map(\.vector) where !vectors.contains(vector) {
            let (shown, seen) = (
                shower.deliveries(of: vector) { _ in true }, witness.deliveries(of: vector) { _ in true }
            )
            guard seen >= max(shown, 1) else {
                return .notReached(
                    "\(vector), which crosses in \(names.shower), arrives \(seen.times) in \(names.witness): it may not have come so far."
                )
            }
        }
        let arrivals = counts.map { vector, pair in
            "\(vector) arrives \(pair.1.times) in \(names.witness), \(pair.0.times) in \(names.shower)"
        }
        return .reached(arrivals.listed + ".")
    }

    private func accesses() -> Answer {
        let ways: [(KeyPath<Report.APICAccessReport, Report.APICAccesses>, String)] = [
            (\.l2Direct, "reaches it by itself, which is no finding there,"), (\.l2Hooked, "is served by L1"),
            (\.l2Own, "has an APIC of its own, which it uses"),
        ]
        for (way, words) in ways {
            let (shown, seen) = (shower.accesses(way), witness.accesses(way))
            if seen > shown { return .reached("In \(names.witness) L2 \(words) \(seen.times).") }
        }
        return .notReached(
            "\(names.witness) has no more of L2's accesses to an APIC than \(names.shower), of any kind: it may not have come so far."
        )
    }

    private func exits() -> Answer {
        let (shown, seen) = (shower.exits, witness.exits)
        guard seen > shown else {
            return .notReached(
                "\(names.witness) has no more exits of this VM than \(names.shower): it may not have come so far.")
        }
        return .reached("\(names.witness) has \(seen) exits of this VM, \(names.shower) \(shown).")
    }
}

extension RuleID {
    /// It is a matter of an L2 that runs.
    fileprivate var needsL2: Bool {
        switch self {
        case .l2APICDirect, .l2APICDirectX2APIC, .staleSVI: true
        case .stuckISR, .lostAccept, .inhibitFlapping, .initSIPIRace: false
        }
    }

    /// It can't be where APICv is off.
    fileprivate var isOfAPICvAlone: Bool {
        switch self {
        case .l2APICDirect, .l2APICDirectX2APIC, .staleSVI, .stuckISR, .inhibitFlapping: true
        case .lostAccept, .initSIPIRace: false
        }
    }
}

extension Report.VM {
    fileprivate var hasAPICvOff: Bool { !apicv.isEmpty && apicv.allSatisfy { $0.state == .inhibited } }

    fileprivate var exits: UInt64 {
        vcpus.flatMap { [$0.exits.l1, $0.exits.l2, $0.exits.unknown] }.flatMap(\.values).reduce(0, &+)
    }

    /// How often the vector was seen to be acknowledged or ended, whichever shows more.
    fileprivate func deliveries(of vector: String, on isMeant: (Int32?) -> Bool) -> UInt64 {
        vcpus.filter { isMeant($0.id) }.flatMap(\.interrupts).filter { $0.vector == vector }.reduce(0) { sum, line in
            sum &+ max(line.acknowledged.sum, line.ended.sum)
        }
    }

    fileprivate func accesses(_ way: KeyPath<Report.APICAccessReport, Report.APICAccesses>) -> UInt64 {
        vcpus.reduce(0) { sum, vcpu in
            let accesses = vcpu.apicAccess[keyPath: way]
            return sum &+ (accesses.reads ?? 0) &+ (accesses.writes ?? 0)
        }
    }
}

extension Report.LevelCounts {
    /// Of those that the trace can show.
    var sum: UInt64 { [l1, l2, unknown].compactMap(\.self).reduce(0, &+) }
}
