// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An unlinked temporary file for input that can't be sought in or is compressed as a whole.
///
/// Of input that is no trace it takes as much as tells what it is, so that neither an endless one nor one that inflates without
/// end fills the disk.
struct SpoolFile {
    static let headSize = 4096

    private let name: String
    /// Of the file, for who closes it.
    let descriptor: Int32
    private var head: [UInt8] = []

    /// - Parameter name: of the input, for messages.
    init(for name: String) throws(TraceFileError) {
        self.name = name
        descriptor = Self.unlinked()
        guard descriptor >= 0 else { throw .cannotOpen(file: name, reason: "temporary file: \(InputFile.reason)") }
    }

    /// - Returns: the descriptor of a file that nobody else can open; -1 where errno tells why there is none.
    static func unlinked() -> Int32 {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(directory)/apictrace-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return descriptor }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return descriptor
    }

    /// - Returns: whether more is wanted.
    /// - Throws: where the disk is full, the file closed.
    mutating func take(_ bytes: ArraySlice<UInt8>) throws(TraceFileError) -> Bool {
        let start = bytes.prefix(Self.headSize - head.count)
        head += start
        try write(start)
        guard head.count == Self.headSize else { return true }
        guard head.starts(with: TraceHead.magic) || Compression(head: head) != .none else { return false }
        try write(bytes[start.endIndex...])
        return true
    }

    private func write(_ bytes: ArraySlice<UInt8>) throws(TraceFileError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                let reason = InputFile.reason
                close(descriptor)
                throw .cannotRead(file: name, offset: 0, reason: "temporary file: \(reason)")
            }
        }
    }
}
