// SPDX-License-Identifier: Apache-2.0

/// Why no part of a recording was written.
public enum CutError: Error, Equatable, Sendable, CustomStringConvertible {
    /// - Parameter known: the ids that the report has.
    case noFinding(String, known: [String])
    case nothingToTake
    /// The part would say something else than the whole.
    case differs(String)

    public var description: String {
        switch self {
        case .noFinding(let asked, let known):
            "there is no finding \(asked); "
                + (known.isEmpty
                    ? "the report of this recording has none: --from and --to, or --vm, name a part without one"
                    : "the report has \(known.joined(separator: ", "))")
        case .nothingToTake: "no event is of the VM or in the time that was asked for: nothing was written"
        case .differs(let what):
            "nothing was written, since a part would say something else than the whole: \(what). Give the whole recording, "
                + "or a longer part (--from, --to, --around)"
        }
    }
}
