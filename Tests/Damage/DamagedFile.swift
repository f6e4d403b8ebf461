// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A copy of a recording in memory that can be damaged, and repaired.
final class DamagedFile {
    private let descriptor: Int32
    private(set) var size: UInt64

    init?(_ path: String) {
        let source = open(path, O_RDONLY)
        var template = Array("/dev/shm/apictrace-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        unlink(template)
        size = 0
        defer { close(source) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count == 0, size > 0 { return }
            guard count > 0, write(descriptor, buffer, count) == count else { return nil }
            size += UInt64(count)
        }
    }

    deinit {
        close(descriptor)
    }

    /// A descriptor of the bytes as they are now, for who closes it.
    func copy() -> Int32 { dup(descriptor) }

    func bytes(at offset: UInt64, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
        }
    }

    /// Done twice it undoes itself.
    func flip(_ bits: [(offset: UInt64, bit: UInt8)]) {
        for (offset, bit) in bits {
            guard var byte = bytes(at: offset, count: 1).first else { continue }
            byte ^= bit
            pwrite(descriptor, &byte, 1, off_t(offset))
        }
    }

    func cut(to size: UInt64) {
        ftruncate(descriptor, off_t(size))
        self.size = size
    }
}
