// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// The process's own output: what its descriptors lead to, and diagnostics.
enum Terminal {
    /// Colour and width for standard output: plain unless a terminal reads it. NO_COLOR: https://no-color.org
    static func style(noColour: Bool) -> TextStyle {
        let isTerminal = isOutputTerminal
        let refused = noColour || hasValue("NO_COLOR") || value("TERM") == "dumb"
        let widest = TextStyle().width
        let width = isTerminal ? size.map { min(widest, max(60, $0.columns)) } : nil
        return TextStyle(colour: isTerminal && !refused, width: width ?? widest)
    }

    /// Standard output is a terminal that knows how to move its cursor.
    static var isScreen: Bool { isatty(STDOUT_FILENO) == 1 && value("TERM") != "dumb" }

    /// Of the terminal that reads standard output, nil where that is none or doesn't say.
    static var size: (columns: Int, rows: Int)? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Text on standard output, at once: whoever reads a live trace doesn't wait for a buffer to fill.
    static func put(_ text: String) {
        send(text, to: STDOUT_FILENO)
    }

    /// `apictrace: FILE: what is wrong` on standard error.
    static func complain(_ message: String) {
        show("apictrace: \(message.printable)\n")
    }

    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Standard error is a terminal that knows how to erase a line.
    static var canRewriteErrors: Bool { isatty(STDERR_FILENO) == 1 && value("TERM") != "dumb" }

    /// Writes all of it to standard output, and ends the process where that fails: in silence where nobody reads on, as
    /// SIGPIPE does it unless the parent process ignores that signal.
    static func output(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                exit(128 + SIGPIPE)
            } else if errno != EINTR {
                complain("standard output: \(String(cString: strerror(errno)))")
                exit(ExitStatus.unreadable.code)
            }
        }
    }

    static func output(_ text: String) {
        output(Array(text.utf8))
    }

    /// Text on standard error as it is, e.g. a log that was asked for.
    static func show(_ text: String) {
        send(text, to: STDERR_FILENO)
    }

    private static func send(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = write(descriptor, rest.baseAddress, rest.count)
                guard count > 0 || errno == EINTR else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[max(count, 0)...])
            }
        }
    }

    private static func value(_ variable: String) -> String? {
        getenv(variable).map { String(cString: $0) }
    }

    private static func hasValue(_ variable: String) -> Bool {
        value(variable)?.isEmpty == false
    }
}
