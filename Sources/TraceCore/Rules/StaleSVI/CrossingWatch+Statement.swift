// SPDX-License-Identifier: Apache-2.0

extension CrossingWatch {
    /// What happened, in words.
    var statement: String {
        var sentences = crossings.prefix(2).map { crossing in
            "Vector \(crossing.vector.hex) was acknowledged in \(crossing.acknowledgedAt.name) and ended in "
                + "\(crossing.endedAt.name)" + (crossing.inferred ? " (inferred)." : ".")
        }
        if !stuck.isEmpty {
            let list = stuck.map(\.vector.hex).joined(separator: ", ")
            sentences.append(
                "\(list) stayed in service after its EOI: everything of its priority and below is blocked.")
        }
        let lost = Set(losses.map(\.vector)).sorted()
        if !lost.isEmpty {
            let list = lost.map(\.hex).joined(separator: ", ")
            sentences.append(
                "Afterwards \(list) was accepted \(lostAccepts == 1 ? "once" : "\(lostAccepts) times") and not delivered."
            )
        }
        if lost.isEmpty, stuck.isEmpty {
            sentences.append("On a kernel without the fix this leaves SVI stale, and lower vectors blocked in L1.")
        }
        return sentences.joined(separator: " ")
    }
}
