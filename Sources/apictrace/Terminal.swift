// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import SystemPackage
import TraceCore

/// The process's own output: what its descriptors lead to, and diagnostics.
enum Terminal {
    /// Beyond this the eye loses the line when it goes back.
    private static let widest = 132

    /// Colour and width for standard output: plain unless a terminal reads it. NO_COLOR: https://no-color.org
    static func style(colour: DisplayOptions.Colour) -> TextStyle {
        let isColoured =
            switch colour {
            case .always: true
            case .never: false
            case .auto: isOutputTerminal && !hasValue("NO_COLOR") && value("TERM") != "dumb"
            }
        return fitted(TextStyle(colour: isColoured))
    }

    /// The style in the width that the terminal has now.
    static func fitted(_ style: TextStyle) -> TextStyle {
        var style = style
        if isOutputTerminal, let size { style.width = min(widest, max(60, size.columns)) }
        return style
    }

    /// Lines that the terminal shows at a time; nil where none reads standard output.
    static var rows: Int? { isScreen ? size?.rows : nil }

    /// From here on standard output is a file.
    static func redirect(to path: String) throws(TraceWriterError) {
        try OutputStream(path: path).becomeStandardOutput()
        outputName.withLock { $0 = path }
    }

    private static let outputName = Mutex("standard output")

    /// Standard output is a terminal that knows how to move its cursor.
    static var isScreen: Bool { isatty(STDOUT_FILENO) == 1 && value("TERM") != "dumb" }

    /// Of the terminal that reads standard output, nil where that is none or doesn't say.
    static var size: (columns: Int, rows: Int)? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Standard streams that the caller has closed: a file that is opened later must not become one of them. Writing to such a
    /// stream goes on failing, and so does reading.
    static func occupyClosedStreams() {
        for (stream, other) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(stream, F_GETFD) < 0 {
            _ = open("/dev/null", other | O_CLOEXEC)
        }
    }

    /// `apictrace: FILE: what is wrong` on standard error.
    static func complain(_ message: String) {
        show("apictrace: \(message.printable)\n")
    }

    /// The same while nothing may wait: left out where nobody reads on.
    static func mention(_ message: String) {
        var stream = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        if poll(&stream, 1, 0) > 0 { complain(message) }
    }

    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Standard error is a terminal that knows how to erase a line.
    static var canRewriteErrors: Bool { isatty(STDERR_FILENO) == 1 && value("TERM") != "dumb" }

    /// Writes all of it to standard output, and ends the process where that fails: in silence where nobody reads on, as
    /// SIGPIPE does it unless the parent process ignores that signal.
    static func output(_ bytes: [UInt8]) {
        let code = write(bytes, to: STDOUT_FILENO)
        if code == EPIPE { exit(128 + SIGPIPE) }
        guard code == 0 else {
            complain("\(outputName.withLock { $0 }): \(Errno(rawValue: code))")
            exit(ExitStatus.unwritten.code)
        }
    }

    static func output(_ text: String) {
        output(Array(text.utf8))
    }

    /// Text on standard error as it is, e.g. a log that was asked for.
    /// - Returns: whether all of it was written.
    @discardableResult
    static func show(_ text: String) -> Bool {
        write(Array(text.utf8), to: STDERR_FILENO) == 0
    }

    /// Writes all of it, however long that takes.
    /// - Returns: 0 or errno.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            do {
                let count = try rest.withUnsafeBytes { try FileDescriptor(rawValue: descriptor).write($0) }
                rest = rest.dropFirst(count)
            } catch Errno.wouldBlock {
                // Somebody else, who has the stream too, wants not to wait.
                var stream = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&stream, 1, -1)
            } catch {
                return (error as? Errno)?.rawValue ?? EIO
            }
        }
        return 0
    }

    static func value(_ variable: String) -> String? {
        getenv(variable).map { String(cString: $0) }
    }

    private static func hasValue(_ variable: String) -> Bool {
        value(variable)?.isEmpty == false
    }
}
