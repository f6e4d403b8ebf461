// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// An open file that is read by offset. Owns its descriptor.
final class InputFile: Sendable {
    let name: String
    let size: UInt64
    private let descriptor: FileDescriptor

    /// - Parameter wanted: of input that can't be sought in.
    convenience init(
        path: String, _ wanted: @escaping SpoolFile.Wanted = { _ in .max }
    ) throws(InputError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotOpen(file: path, reason: Self.reason) }
        try self.init(owning: descriptor, name: path, wanted)
    }

    /// Takes the descriptor over. Input that can't be sought in is copied to an unlinked temporary file first.
    init(
        owning descriptor: Int32, name: String, _ wanted: @escaping SpoolFile.Wanted = { _ in .max }
    ) throws(InputError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = Self.reason
            close(descriptor)
            throw .cannotOpen(file: name, reason: reason)
        }
        var owned = descriptor
        if status.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw .cannotOpen(file: name, reason: "\(Errno.isDirectory)")
        }
        if status.st_mode & S_IFMT != S_IFREG {
            defer { close(descriptor) }
            owned = try Self.spool(descriptor, name: name, wanted)
        }
        self.descriptor = FileDescriptor(rawValue: owned)
        self.name = name
        size = UInt64(max(0, lseek(owned, 0, SEEK_END)))
    }

    deinit {
        try? descriptor.close()
    }

    /// Reads up to the buffer's size.
    /// - Returns: how many bytes there were; fewer than asked for at the end of the file and where the disk fails.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        descriptor.fill(buffer, from: offset).count
    }

    /// Up to `count` bytes at an offset.
    func bytes(at offset: UInt64, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Throws where the disk, not the file, ends before this offset.
    func probe(_ offset: UInt64) throws(InputError) {
        var byte: UInt8 = 0
        let failure = withUnsafeMutableBytes(of: &byte) { descriptor.fill($0, from: offset).failure }
        // No file has bytes there.
        guard let failure, failure != .fileTooLarge else { return }
        throw .cannotRead(file: name, offset: offset, reason: "\(failure)")
    }

    /// A whole file that was compressed, inflated into a temporary file.
    /// - Returns: with it, where the compressed data broke off or stopped making sense.
    func inflated(
        _ compression: Compression, _ limit: InflationLimit, _ wanted: @escaping SpoolFile.Wanted
    ) throws(InputError) -> (file: InputFile, cut: TraceCut?) {
        var spool = try SpoolFile(for: name, wanted)
        var reader = SectionReader(
            "\(compression.rawValue) data", of: self, 0..<size, order: .little, compression: compression)
        let most = limit.bytes(ofFile: size)
        var made: UInt64 = 0
        while let chunk = reader.chunk() {
            made += UInt64(chunk.count)
            guard made <= most else {
                close(spool.descriptor)
                throw .inflatesTooFar(file: name, bytes: most)
            }
            guard try spool.take(chunk) else { break }
        }
        let file = try InputFile(owning: spool.descriptor, name: name)
        if file.size == 0, reader.needsLargerWindow { throw .foreign(file: name, .packed(by: .zstd)) }
        return (file, reader.inflationCut)
    }

    /// The system's text for the latest failure.
    static var reason: String { "\(Errno(rawValue: errno))" }

    private static func spool(
        _ source: Int32, name: String, _ wanted: @escaping SpoolFile.Wanted
    ) throws(InputError) -> Int32 {
        var spool = try SpoolFile(for: name, wanted)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count: Int
            do {
                count = try buffer.withUnsafeMutableBytes { try FileDescriptor(rawValue: source).read(into: $0) }
            } catch {
                close(spool.descriptor)
                throw .cannotRead(file: name, offset: 0, reason: "\(error)")
            }
            guard count > 0, try spool.take(buffer[..<count]) else { return spool.descriptor }
        }
    }
}
