// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A file that is written by offset. Owns its descriptor.
struct OutputFile: ~Copyable {
    let name: String
    private let descriptor: Int32

    /// Creates the file, or empties it.
    init(path: String) throws(TraceWriterError) {
        descriptor = try Self.claimed(path)
        // What has no size, such as a device, is written as far as it goes.
        _ = ftruncate(descriptor, 0)
        name = path
    }

    /// An unlinked file in the directory of `path`, which has the room that the file itself will need.
    init(temporaryBeside path: String) throws(TraceWriterError) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
        var template = Array("\(directory)apictrace-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .last("temporary file can't be created", file: path) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        name = path
    }

    deinit {
        close(descriptor)
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(TraceWriterError) {
        let isWritten = bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count, let position = off_t(exactly: offset.addingClamped(UInt64(done))) {
                let count = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, position)
                if count > 0 {
                    done += count
                } else if count == 0 || errno != EINTR {
                    return false
                }
            }
            return done == bytes.count
        }
        guard isWritten else { throw .last("can't be written", file: name) }
    }

    /// Fills `bytes` from what was written before.
    func read(_ bytes: inout [UInt8], at offset: UInt64) throws(TraceWriterError) {
        let wanted = bytes.count
        let isRead = bytes.withUnsafeMutableBytes { bytes in
            var done = 0
            while done < wanted, let position = off_t(exactly: offset.addingClamped(UInt64(done))) {
                let count = pread(descriptor, bytes.baseAddress.map { $0 + done }, wanted - done, position)
                if count > 0 {
                    done += count
                } else if count == 0 || errno != EINTR {
                    return false
                }
            }
            return done == wanted
        }
        guard isRead else { throw .last("temporary file can't be read", file: name) }
    }
}
