// SPDX-License-Identifier: Apache-2.0

/// Takes limits apart: the sentence for people, and the `trace-cmd record` line at its end.
enum RecordAdvice {
    /// The limit without its command.
    static func sentence(of limit: String) -> String {
        guard let command = limit.ranges(of: EventKindSet.recordProgram).first else { return limit }
        let sentence = limit[..<command.lowerBound].reversed().drop { " :;,".contains($0) }.reversed()
        return String(sentence)
    }

    /// One command that records what the limits' commands record together; nil where there are none.
    static func command(of limits: [String]) -> String? {
        var options: [Substring] = []
        for limit in limits {
            guard let command = limit.ranges(of: EventKindSet.recordProgram).first else { continue }
            for option in limit[command.upperBound...].split(separator: " -") where !options.contains(option) {
                options.append(option)
            }
        }
        return options.isEmpty ? nil : options.reduce(EventKindSet.recordProgram) { "\($0) -\($1)" }
    }
}
