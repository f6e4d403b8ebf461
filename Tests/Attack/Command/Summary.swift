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
        for group in campaign.groups {
            Swift.print(
                "\(group.invariant.rawValue), \(group.name): \(group.count) in \(group.examples.count) recordings")
            for example in group.examples.prefix(shown) { Swift.print("  " + example.line) }
        }
        Swift.print(Self.row("attack", ["analyses", "files", "named rises", "violations"]))
        for name in ["none"] + Attack.all.map(\.name) {
            guard let tally = campaign.tallies[name] else { continue }
            Swift.print(
                Self.row(name, [tally.analyses, tally.files, tally.namedRises, tally.violations].map(String.init)))
        }
        Swift.print("\(campaign.analyses) analyses, \(campaign.violations) violations, seed \(campaign.seed)")
    }

    private static func row(_ name: String, _ columns: [String]) -> String {
        name + String(repeating: " ", count: max(1, 16 - name.count))
            + columns.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined()
    }
}
