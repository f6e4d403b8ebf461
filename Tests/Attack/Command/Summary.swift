// SPDX-License-Identifier: Apache-2.0
import AttackSuite

/// What a campaign amounted to, in lines.
struct Summary {
    private let campaign: Campaign
    private let shown: Int

    init(_ campaign: Campaign, shown: Int) {
        self.campaign = campaign
        self.shown = shown
    }

    func print() {
        for (invariant, group) in groups { print(invariant, group) }
        let order = ["none"] + Attack.all.map(\.name)
        Swift.print(Self.row("attack", ["analyses", "files", "named rises", "violations"]))
        for name in order {
            guard let tally = campaign.tallies[name] else { continue }
            Swift.print(
                Self.row(name, [tally.analyses, tally.files, tally.namedRises, tally.violations].map(String.init)))
        }
        let analyses = campaign.tallies.values.reduce(0) { $0 + $1.analyses }
        Swift.print("\(analyses) analyses, \(campaign.violations.count) violations, seed \(campaign.seed)")
    }

    /// What was broken by what, the gravest first.
    private var groups: [(Invariant, String)] {
        Set(campaign.violations.map { [$0.invariant.rawValue, $0.group] }).compactMap { pair in
            Invariant(rawValue: pair[0]).map { ($0, pair[1]) }
        }.sorted { $0 < $1 }
    }

    private func print(_ invariant: Invariant, _ group: String) {
        let all = campaign.violations.filter { $0.invariant == invariant && $0.group == group }
        let recordings = Set(all.map(\.recording))
        Swift.print("\(invariant.rawValue), \(group): \(all.count) in \(recordings.count) recordings")
        // Of different recordings, if there are several.
        var seen: Set<String> = []
        let first = all.filter { seen.insert($0.recording).inserted }
        for violation in first.prefix(shown) { Swift.print("  " + violation.line) }
    }

    private static func row(_ name: String, _ columns: [String]) -> String {
        name + String(repeating: " ", count: max(1, 16 - name.count))
            + columns.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined()
    }
}
