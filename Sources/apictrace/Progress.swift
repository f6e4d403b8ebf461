// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// The percentage of a long file that has been read, on a terminal's standard error: rewritten in place, gone at the end.
final class Progress {
    private static let interval = Duration.milliseconds(300)
    private static let begin = "\r\u{1b}[K"

    private let name: String
    private var due = ContinuousClock.now + interval
    private var isShown = false

    /// Nil where standard error is no terminal that can erase a line.
    /// - Parameter name: as the user gives it, `-` for standard input.
    init?(of name: String) {
        guard Terminal.canRewriteErrors else { return nil }
        self.name = name == "-" ? "standard input" : name.printable
    }

    func show(_ read: UInt64, of total: UInt64) {
        let now = ContinuousClock.now
        guard now >= due, total > 0 else { return }
        due = now + Self.interval
        isShown = true
        Terminal.show("\(Self.begin)\(name): \(Int(Double(read) / Double(total) * 100)) %")
    }

    func clear() {
        if isShown { Terminal.show(Self.begin) }
        isShown = false
    }

    deinit {
        clear()
    }
}
