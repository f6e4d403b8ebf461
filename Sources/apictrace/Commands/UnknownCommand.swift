// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// A first word that is no subcommand, with the one that was meant, where one is near.
struct UnknownCommand: Error, CustomStringConvertible {
    let description: String

    static func check(_ arguments: [String], of commands: [any ParsableCommand.Type]) throws(UnknownCommand) {
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return }
        let names = commands.compactMap { $0.configuration.commandName }
        guard !names.contains(word) else { return }
        let nearest = names.map { ($0, distance($0, word)) }.min { $0.1 < $1.1 }
        let hint = nearest.flatMap { $0.1 <= max(2, $0.0.count / 3) ? ": did you mean \($0.0)?" : nil }
        throw UnknownCommand(
            description: "there is no command \(word)\(hint ?? "; there are \(names.joined(separator: ", "))")")
    }

    /// How many letters are to be added, left out or changed (Levenshtein).
    private static func distance(_ left: String, _ right: String) -> Int {
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let replaced = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
