// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// An unlinked temporary file for input that can't be sought in or is compressed as a whole.
///
/// Who opens it says by the first bytes how much is wanted, so that neither an endless input nor one that inflates without end
/// fills the disk.
struct SpoolFile {
    static let headSize = 4096

    private let name: String
    /// Of the file, for who closes it.
    let descriptor: Int32
    private var head: [UInt8] = []
    private let wanted: Wanted
    private var limit = UInt64(headSize)
    private var taken: UInt64 = 0

    /// How many bytes of an input are wanted that begins with these; never fewer than ``headSize``.
    typealias Wanted = (_ head: [UInt8]) -> UInt64

    /// - Parameter name: of the input, for messages.
    init(for name: String, _ wanted: @escaping Wanted) throws(InputError) {
        self.name = name
        self.wanted = wanted
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
    mutating func take(_ bytes: ArraySlice<UInt8>) throws(InputError) -> Bool {
        let start = bytes.prefix(Self.headSize - head.count)
        head += start
        if !start.isEmpty, head.count == Self.headSize { limit = wanted(head) }
        let part = bytes.prefix(Int(clamping: limit - taken))
        try write(part)
        taken += UInt64(part.count)
        return taken < limit
    }

    private func write(_ bytes: ArraySlice<UInt8>) throws(InputError) {
        do {
            _ = try FileDescriptor(rawValue: descriptor).writeAll(bytes)
        } catch {
            close(descriptor)
            throw .cannotRead(file: name, offset: 0, reason: "temporary file: \(error)")
        }
    }
}
