// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// A file that is written by offset. Owns its descriptor.
struct OutputFile: ~Copyable {
    let name: String
    let descriptor: Int32
    /// Where all of it goes in the end; nil for a file that is its own end.
    private let outlet: Int32?

    /// An unlinked temporary file: what goes to a pipe can't be written by offset.
    init(for outlet: Int32, name: String) throws(TraceWriterError) {
        descriptor = SpoolFile.unlinked()
        guard descriptor >= 0 else { throw .last("no temporary file can be made", file: name) }
        self.outlet = outlet
        self.name = name
    }

    /// Creates the file, or opens it as it is.
    init(path: String) throws(TraceWriterError) {
        descriptor = try Self.claimed(path)
        outlet = nil
        name = path
    }

    /// A file that was not there, in a folder of recordings.
    init(in folder: RecordingFolder, at seconds: Int64) throws(TraceWriterError) {
        (descriptor, name) = try folder.newFile(at: seconds)
        outlet = nil
    }

    /// Takes over a descriptor of a file that nobody else has.
    init(taking descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        outlet = nil
    }

    /// Gives up what it held, and takes the room that its first bytes will need, where the file system can tell whether there is.
    func empty(reserving size: UInt64) throws(TraceWriterError) {
        // What has no size, such as a device, is written as far as it goes.
        _ = ftruncate(descriptor, 0)
        let code = off_t(exactly: size).map { posix_fallocate(descriptor, 0, $0) } ?? EFBIG
        guard ![ENOSPC, EFBIG, EDQUOT].contains(code) else { throw .init("can't be written", file: name, code: code) }
    }

    /// Cuts off what lies behind an offset.
    func cut(at offset: UInt64) {
        if let offset = off_t(exactly: offset) { _ = ftruncate(descriptor, offset) }
    }

    /// Somebody could still open it.
    var isLinked: Bool {
        if outlet != nil { return true }
        var status = stat()
        return fstat(descriptor, &status) != 0 || status.st_nlink > 0
    }

    /// Writes it to where it is wanted, if that is not where it lies.
    func deliver(upTo end: UInt64) throws(TraceWriterError) {
        guard let outlet else { return }
        var offset: UInt64 = 0
        while offset < end {
            var bytes = [UInt8](repeating: 0, count: Int(min(end - offset, 1 << 16)))
            try read(&bytes, at: offset)
            offset += UInt64(bytes.count)
            try doing("can't be written") { _ = try FileDescriptor(rawValue: outlet).writeAll(bytes) }
        }
    }

    /// Bytes in it.
    var size: UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_size) : 0
    }

    deinit {
        close(descriptor)
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(TraceWriterError) {
        try doing("can't be written") {
            guard let offset = Int64(exactly: offset) else { throw Errno.fileTooLarge }
            _ = try FileDescriptor(rawValue: descriptor).writeAll(toAbsoluteOffset: offset, bytes)
        }
    }

    /// Fills `bytes` from what was written before.
    func read(_ bytes: inout [UInt8], at offset: UInt64) throws(TraceWriterError) {
        try doing("can't be read") {
            let (count, failure) = bytes.withUnsafeMutableBytes {
                FileDescriptor(rawValue: descriptor).fill($0, from: offset)
            }
            guard count == bytes.count else { throw failure ?? .ioError }
        }
    }

    /// - Parameter what: is said where it fails.
    private func doing(_ what: String, _ body: () throws -> Void) throws(TraceWriterError) {
        do {
            try body()
        } catch {
            throw TraceWriterError(file: name, what: what, reason: "\(error)")
        }
    }
}
