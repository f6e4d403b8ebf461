// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What is known of a recording by other means than the recording: its guest's own account, its console.
package enum Truth: Equatable, Sendable {
    /// No interrupt was lost, and no crossing stands on a kernel whose fix can't be seen.
    case healthy
    /// No interrupt was lost, but something stands in the recording that can lose one, and nothing in it shows that it
    /// didn't: a crossing on a kernel whose fix can't be seen, a long wait.
    case crossing
    case lossy(Loss)

    /// An interrupt that was lost, and where the recording shows it.
    package struct Loss: Equatable, Sendable {
        /// The lost vectors; empty where their accepts are not recorded, as those of a virtualised self-IPI.
        package var vectors: Set<UInt8> = []
        /// Nanoseconds since the recording's first event: of the first accept that nothing followed or, without vectors, of
        /// the crossing that is all there is to see. Nil where it isn't known.
        package var from: UInt64?

        package init(vectors: Set<UInt8> = [], from: UInt64? = nil) {
            self.vectors = vectors
            self.from = from
        }
    }

    package var loss: Loss? {
        if case .lossy(let loss) = self { loss } else { nil }
    }

    /// The highest honest grade of the whole recording.
    var bound: Grade {
        switch self {
        case .healthy: .exposed
        case .crossing: .hazard
        case .lossy: .confirmed
        }
    }
}

extension Truth {
    /// A recording and what is known of it, as a line of a table has them.
    package struct Line: Sendable {
        package var path: String
        package var truth: Truth

        package init(path: String, truth: Truth) {
            self.path = path
            self.truth = truth
        }
    }

    /// Reads a table: lines of `healthy PATH`, `crossing PATH` or `lossy PATH [vectors=0x41,0x51] [from=SECONDS]`, and
    /// comments behind `#`. Nil where a line is none of these.
    package static func table(_ text: String) -> [Line]? {
        let lines = text.split(separator: "\n").map { $0.prefix { $0 != "#" }.split(separator: " ").map(String.init) }
        let truths = lines.filter { !$0.isEmpty }.map(line)
        return truths.contains { $0 == nil } ? nil : truths.compactMap(\.self)
    }

    private static func line(_ words: [String]) -> Line? {
        guard words.count > 1 else { return nil }
        switch words[0] {
        case "healthy" where words.count == 2: return Line(path: words[1], truth: .healthy)
        case "crossing" where words.count == 2: return Line(path: words[1], truth: .crossing)
        case "lossy":
            guard let loss = loss(words[2...]) else { return nil }
            return Line(path: words[1], truth: .lossy(loss))
        default: return nil
        }
    }

    private static func loss(_ words: ArraySlice<String>) -> Loss? {
        var loss = Loss()
        for word in words {
            let parts = word.split(separator: "=")
            switch parts.first {
            case "vectors" where parts.count == 2:
                let vectors = parts[1].split(separator: ",").map { UInt8($0.dropFirst(2), radix: 16) }
                guard !vectors.contains(nil) else { return nil }
                loss.vectors = Set(vectors.compactMap(\.self))
            case "from" where parts.count == 2:
                guard let seconds = Double(parts[1]), seconds >= 0, seconds < 1e9 else { return nil }
                loss.from = UInt64((seconds * 1e9).rounded())
            default: return nil
            }
        }
        return loss
    }
}
