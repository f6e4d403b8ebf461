// SPDX-License-Identifier: Apache-2.0

/// One way of changing a recording, in numbered variants.
///
/// The same recording, number and seed give the same change, so that what is found can be looked at again.
package struct Attack: Sendable {
    package let name: String
    /// How many variants a recording has; those with random numbers in them have as many as one likes.
    let variants: @Sendable (HeldRecording) -> Int
    /// False where the recording has nothing that could be changed in this way.
    let change: @Sendable (inout HeldRecording, _ number: Int, _ random: inout TestRandom, Corpus) -> Bool

    static let unlimited = 1 << 20

    package static let all: [Attack] =
        kinds + cuts + losses + renumberings + joins + [layouts, scaling, skew, two]

    /// Two of the others, one after the other.
    private static let two = Attack(
        name: "two", variants: { _ in unlimited },
        change: { recording, _, random, corpus in
            let others = kinds + cuts + losses + renumberings + [layouts, scaling, skew]
            for _ in 0..<2 {
                guard let attack = others.randomElement(using: &random) else { return false }
                let count = attack.variants(recording)
                guard count > 0 else { return false }
                let number = Int.random(in: 0..<count, using: &random)
                guard attack.change(&recording, number, &random, corpus) else { return false }
            }
            return true
        })

    /// The recording changed; nil where this variant doesn't apply to it.
    package func changed(_ recording: HeldRecording, number: Int, seed: UInt64, corpus: Corpus) -> HeldRecording? {
        // By name, so that adding an attack changes no other one's numbers.
        let mark = (recording.name + " " + name).utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        var random = TestRandom(seed: seed ^ mark &+ UInt64(number) &* 0x9e37_79b9)
        var changed = recording
        guard change(&changed, number, &random, corpus) else { return nil }
        if changed.changes.contains(.lost) { changed.settleGaps() }
        return changed
    }
}
