// SPDX-License-Identifier: Apache-2.0
#if DEBUG
    import Glibc

    @testable import TraceCore

    /// Bytes as a file in memory, and bytes right in front of a page that can't be read.
    enum FuzzInput {
        private static let memory: Int32 = {
            var template = Array("/dev/shm/apictrace-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            precondition(descriptor >= 0, "no file in memory")
            unlink(template)
            return descriptor
        }()

        /// Holds the bytes until the next call.
        static func descriptor(_ bytes: UnsafeRawBufferPointer) -> Int32 {
            ftruncate(memory, 0)
            precondition(pwrite(memory, bytes.baseAddress, bytes.count, 0) == bytes.count)
            return dup(memory)
        }

        static func file(_ bytes: UnsafeRawBufferPointer) -> InputFile {
            guard let file = try? InputFile(owning: descriptor(bytes), name: "input") else {
                preconditionFailure("no file in memory")
            }
            return file
        }

        static func bytes(of path: String) -> [UInt8] {
            guard let file = try? InputFile(path: path) else { return [] }
            return file.bytes(at: 0, count: Int(file.size))
        }

        private static let guardedSize = 1 << 17
        nonisolated(unsafe) private static let guarded: UnsafeMutableRawPointer = {
            let area = mmap(
                nil, guardedSize + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let area, area != MAP_FAILED, mprotect(area + guardedSize, 4096, PROT_NONE) == 0 else {
                preconditionFailure("no memory")
            }
            return area
        }()

        /// A copy of the bytes that ends where memory does, so that a load beyond them traps.
        static func guarded(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
            let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(guardedSize))
            let copy = UnsafeMutableRawBufferPointer(
                start: guarded + guardedSize - bytes.count, count: bytes.count)
            copy.copyMemory(from: bytes)
            return UnsafeRawBufferPointer(copy)
        }
    }
#endif
