// SPDX-License-Identifier: Apache-2.0

/// What was read of an event's text where: what ``TextLayouts`` remembers of it.
struct TextTrail {
    /// What may be another on the next line.
    enum Part: UInt8 {
        case hexadecimal, decimal
        /// A number that is part of its field.
        case vector
        /// An exit reason's name.
        case reason
        /// A number of no meaning.
        case ignored
        /// What comes behind the last number is of no use.
        case rest
        /// The text's end.
        case end
    }

    struct Step {
        var part = Part.end
        var field: UInt8 = 0
        /// Of an exit's isa, beside that of its reason.
        var isaField: UInt8 = 0
        /// Without `0x`.
        var range = 0..<0
        var value: UInt64 = 0
    }

    private(set) var steps = InlineArray<10, Step>(repeating: Step())
    private(set) var count = 0
    /// All that the text tells is in the steps, or is told by words that are literally there.
    private(set) var isWhole = true

    mutating func add(_ step: Step) {
        guard count < steps.count else { return giveUp() }
        steps[count] = step
        count += 1
    }

    mutating func giveUp() { isWhole = false }
}
