// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// The percentage of a long file that has been read, on a terminal's standard error: rewritten in place, gone at the end.
final class Progress {
    private static let interval: UInt64 = 300_000_000
    private static let begin = "\r\u{1b}[K"

    private let name: String
    private var due: UInt64
    private var isShown = false

    /// Nil where standard error is no terminal that can erase a line.
    init?(of name: String) {
        guard Terminal.canRewriteErrors else { return nil }
        self.name = name.printable
        due = Self.now + Self.interval
    }

    func show(_ read: UInt64, of total: UInt64) {
        let now = Self.now
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

    /// Nanoseconds.
    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
