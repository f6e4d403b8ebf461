// SPDX-License-Identifier: Apache-2.0
import SystemPackage

extension FileDescriptor {
    /// Reads until the buffer is full, the file ends or the disk fails.
    /// - Returns: how many bytes there were, and why there are no more where it is not the file's end.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: UInt64) -> (count: Int, failure: Errno?) {
        var done = 0
        while done < buffer.count {
            guard let position = Int64(exactly: offset.addingClamped(UInt64(done))) else {
                return (done, .fileTooLarge)
            }
            do {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try read(fromAbsoluteOffset: position, into: rest)
                guard count > 0 else { break }
                done += count
            } catch {
                return (done, error as? Errno ?? .ioError)
            }
        }
        return (done, nil)
    }
}
