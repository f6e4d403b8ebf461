// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An open file that is read by offset. Owns its descriptor.
final class InputFile: Sendable {
    let name: String
    let size: UInt64
    private let descriptor: Int32

    convenience init(path: String) throws(TraceFileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotOpen(file: path, reason: Self.reason) }
        try self.init(owning: descriptor, name: path)
    }

    /// Takes the descriptor over. Input that can't be sought in is copied to an unlinked temporary file first.
    init(owning descriptor: Int32, name: String) throws(TraceFileError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = Self.reason
            close(descriptor)
            throw .cannotOpen(file: name, reason: reason)
        }
        var owned = descriptor
        if status.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw .cannotOpen(file: name, reason: String(cString: strerror(EISDIR)))
        }
        if status.st_mode & S_IFMT != S_IFREG {
            defer { close(descriptor) }
            owned = try Self.spool(descriptor, name: name)
        }
        self.descriptor = owned
        self.name = name
        size = UInt64(max(0, lseek(owned, 0, SEEK_END)))
    }

    deinit {
        close(descriptor)
    }

    /// Reads up to the buffer's size.
    /// - Returns: how many bytes there were; fewer than asked for at the end of the file and where the disk fails.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var done = 0
        while done < buffer.count, let position = off_t(exactly: offset.addingClamped(UInt64(done))) {
            let count = pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, position)
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        return done
    }

    /// Up to `count` bytes at an offset.
    func bytes(at offset: UInt64, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Throws where the disk, not the file, ends before this offset.
    func probe(_ offset: UInt64) throws(TraceFileError) {
        guard let position = off_t(exactly: offset) else { return }
        var byte: UInt8 = 0
        while pread(descriptor, &byte, 1, position) < 0 {
            if errno != EINTR { throw .cannotRead(file: name, offset: offset, reason: Self.reason) }
        }
    }

    /// A whole file that was compressed, inflated into an unlinked temporary file.
    func inflated(_ compression: Compression) throws(TraceFileError) -> InputFile {
        let target = try Self.temporary(for: name)
        var reader = SectionReader("data", of: self, 0..<size, order: .little, compression: compression)
        while let chunk = reader.chunk() {
            guard Self.write(chunk, to: target) else {
                let reason = Self.reason
                close(target)
                throw .cannotRead(file: name, offset: 0, reason: "temporary file: \(reason)")
            }
        }
        return try InputFile(owning: target, name: name)
    }

    private static var reason: String { String(cString: strerror(errno)) }

    private static func spool(_ source: Int32, name: String) throws(TraceFileError) -> Int32 {
        let target = try temporary(for: name)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = Glibc.read(source, &buffer, buffer.count)
            if count == 0 { return target }
            if count < 0, errno == EINTR { continue }
            guard count > 0, write(buffer[..<count], to: target) else {
                let reason = Self.reason
                close(target)
                throw .cannotRead(file: name, offset: 0, reason: reason)
            }
        }
    }

    private static func temporary(for name: String) throws(TraceFileError) -> Int32 {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(directory)/apictrace-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .cannotOpen(file: name, reason: "temporary file: \(reason)") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return descriptor
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                if count > 0 {
                    done += count
                } else if count == 0 || errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
