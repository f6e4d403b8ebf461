// SPDX-License-Identifier: Apache-2.0

/// The column with the names of threads, as the kernel recorded them.
struct CommandColumn: ~Copyable, Sendable {
    private let commands: [Int32: [UInt8]]
    /// The latest of those threads whose ids end alike: a look into a dictionary costs more than the rest of the column.
    private var recent: [(tid: Int32, command: [UInt8])]

    private static let places = 64

    init(_ commands: [Int32: String]) {
        self.commands = commands.mapValues { NameTables.command($0) }
        recent = Array(repeating: (.min, NameTables.noCommand), count: Self.places)
    }

    /// The trace names none.
    var isEmpty: Bool { commands.isEmpty }

    @inline(__always)
    mutating func add(_ tid: Int32, to out: inout OutputSpan<UInt8>) {
        let place = Int(tid & Int32(Self.places - 1))
        if recent[place].tid != tid { recent[place] = (tid, commands[tid] ?? NameTables.noCommand) }
        out.add(recent[place].command)
    }
}
