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
        for group in campaign.groups { print(group.first.invariant, group.first.group) }
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

    private func print(_ invariant: Invariant, _ group: String) {
        let all = campaign.violations.filter { $0.invariant == invariant && $0.group == group }
        // One of each recording.
        var seen: Set<String> = []
        let firsts = all.filter { seen.insert($0.recording).inserted }
        Swift.print("\(invariant.rawValue), \(group): \(all.count) in \(firsts.count) recordings")
        for violation in firsts.prefix(shown) { Swift.print("  " + violation.line) }
    }

    private static func row(_ name: String, _ columns: [String]) -> String {
        name + String(repeating: " ", count: max(1, 16 - name.count))
            + columns.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined()
    }
}
