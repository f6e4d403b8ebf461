// SPDX-License-Identifier: Apache-2.0

/// How much a finding, or a whole trace, claims. docs/grades.md says what each may claim.
public enum Grade: String, CaseIterable, Codable, Comparable, Sendable {
    case clean, inconclusive, exposed, hazard, suspect, confirmed

    public static func < (left: Grade, right: Grade) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .clean: 0
        case .inconclusive: 1
        case .exposed: 2
        case .hazard: 3
        case .suspect: 4
        case .confirmed: 5
        }
    }
}
