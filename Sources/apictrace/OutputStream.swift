// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import TraceCore

/// A file that an output is written to, from its begin to its end; `-` is standard output.
final class OutputStream {
    private let path: String
    /// Nil for standard output, which is the terminal's.
    private let descriptor: Int32?

    /// Replaces what is there, as a shell's `>` does.
    init(path: String) throws(TraceWriterError) {
        self.path = path
        guard path != "-" else {
            descriptor = nil
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.error(path, errno) }
        self.descriptor = descriptor
    }

    func write(_ bytes: [UInt8]) throws(TraceWriterError) {
        guard let descriptor else { return Terminal.output(bytes) }
        let code = Terminal.write(bytes, to: descriptor)
        guard code == 0 else { throw Self.error(path, code) }
    }

    func write(_ text: String) throws(TraceWriterError) { try write(Array(text.utf8)) }

    /// Writes it on a thread of its own, for as long as this stream is there.
    func queue() -> OutputQueue { OutputQueue(descriptor ?? STDOUT_FILENO) }

    /// What is printed goes to it from here on.
    func becomeStandardOutput() throws(TraceWriterError) {
        guard let descriptor else { return }
        guard dup2(descriptor, STDOUT_FILENO) >= 0 else { throw Self.error(path, errno) }
    }

    /// A path is one of those files, by whatever name; `-` is standard input.
    static func isSame(_ path: String, as files: [String]) -> Bool {
        var (one, other) = (stat(), stat())
        guard stat(path, &one) == 0, one.st_mode & S_IFMT == S_IFREG else { return false }
        return files.contains { file in
            (file == "-" ? fstat(STDIN_FILENO, &other) : stat(file, &other)) == 0
                && other.st_dev == one.st_dev && other.st_ino == one.st_ino
        }
    }

    /// The same for all spellings of a path, whether or not a file is there yet.
    static func place(_ path: String) -> String {
        var status = stat()
        if stat(path, &status) == 0 { return "\(status.st_dev) \(status.st_ino)" }
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        return stat(folder, &status) == 0 ? "\(status.st_dev) \(status.st_ino) \(name)" : path
    }

    /// Refuses what is no regular file: a pipe would wait for its reader, a device's name be taken from it, and a link may be somebody
    /// else's.
    /// - Parameter what: that is not done then.
    static func requireRegularFile(_ path: String, else what: String) throws(TraceWriterError) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
        throw TraceWriterError(file: path, what: what, reason: "it is no regular file; name another file")
    }

    static func error(_ path: String, _ code: Int32) -> TraceWriterError {
        TraceWriterError(file: path, what: "can't be written", reason: "\(Errno(rawValue: code))")
    }

    deinit {
        if let descriptor { close(descriptor) }
    }
}
