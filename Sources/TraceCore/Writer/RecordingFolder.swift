// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import SystemPackage

/// A folder that one run fills with recordings, of which it keeps the latest. Owns its descriptor, and a lock on the folder.
///
/// Root may fill it, and others may write to it: nothing in it is overwritten, and only files of our own making are removed.
public final class RecordingFolder: Sendable {
    public let path: String
    private let descriptor: Int32
    private let latest: Mutex<RecordingName?>

    /// Opens the folder, and makes it, for its user alone, where its parent folder is there and it is not.
    public init(path: String) throws(TraceWriterError) {
        let made = mkdir(path, 0o700)
        guard made == 0 || errno == EEXIST else { throw .last("the folder can't be made", file: path) }
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("the folder can't be opened", file: path) }
        self.path = path
        latest = Mutex(nil)
        // The names go on from one run to the next, and the oldest go whoever has made them: two runs would be in each other's way.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            throw TraceWriterError(
                file: path, what: "can't be used", reason: "another run records into this folder; name another one")
        }
        let names = try self.names()
        latest.withLock { $0 = names.last }
    }

    deinit {
        close(descriptor)
    }

    /// Names that another process might take meanwhile are passed over.
    private static let mostTries = 100

    /// Begins a file that was not there, for its user alone, and locks it.
    /// - Parameter seconds: the time of day, since 1970 in UTC.
    func newFile(at seconds: Int64) throws(TraceWriterError) -> (descriptor: Int32, path: String) {
        for _ in 0..<Self.mostTries {
            guard let name = RecordingName(at: seconds, after: latest.withLock { $0 }) else {
                throw TraceWriterError(
                    file: path, what: "no recording can be made",
                    reason: "no name comes after \(latest.withLock { $0 }?.description ?? ""); move that file elsewhere"
                )
            }
            latest.withLock { $0 = name }
            let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            let file = openat(descriptor, name.description, flags, 0o600)
            if file >= 0 {
                _ = flock(file, LOCK_EX | LOCK_NB)
                return (file, fullPath(name))
            }
            guard errno == EEXIST else { throw .last("can't be created", file: fullPath(name)) }
        }
        throw TraceWriterError("no recording can be made", file: path, code: EEXIST)
    }

    /// Fails where no file can be begun now.
    public func check() throws(TraceWriterError) {
        let template = ".apictrace-check-\(getpid())"
        let file = openat(descriptor, template, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 || errno == EEXIST else { throw .last("no recording can be made in the folder", file: path) }
        guard file >= 0 else { return }
        unlinkat(descriptor, template, 0)
        close(file)
    }

    /// Takes a file away that nothing was written to.
    public func remove(_ path: String) {
        guard let slash = path.lastIndex(of: "/") else { return }
        unlinkat(descriptor, String(path[path.index(after: slash)...]), 0)
    }

    /// Removes the oldest recordings that runs of ours have made here, and no others' files.
    ///
    /// A recording that somebody renames stays, and so does one that is being written.
    /// - Parameter count: of the latest, which stay.
    public func removeOldest(keeping count: Int) throws(TraceWriterError) {
        for name in try names().dropLast(count) where isRecording(name) {
            guard unlinkat(descriptor, name.description, 0) == 0 || errno == ENOENT else {
                throw .last("can't be removed", file: fullPath(name))
            }
        }
    }

    private func fullPath(_ name: RecordingName) -> String {
        (path.hasSuffix("/") ? path : path + "/") + name.description
    }

    /// Of the regular files that are this user's and have a recording's name, the oldest first.
    private func names() throws(TraceWriterError) -> [RecordingName] {
        // A descriptor of its own: its place in the folder is nobody else's.
        let listed = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard listed >= 0, let folder = fdopendir(listed) else {
            let error = TraceWriterError.last("the folder can't be listed", file: path)
            if listed >= 0 { close(listed) }
            throw error
        }
        defer { closedir(folder) }
        var names: [RecordingName] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard let name = RecordingName(name),
                fstatat(descriptor, name.description, &status, AT_SYMLINK_NOFOLLOW) == 0, Self.isOwn(status)
            else { continue }
            names.append(name)
        }
        return names.sorted()
    }

    private static func isOwn(_ status: stat) -> Bool {
        status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid() && status.st_nlink == 1
    }

    /// It begins as ours do, or its run ended before anything was in it, and nobody writes it.
    private func isRecording(_ name: RecordingName) -> Bool {
        let file = openat(descriptor, name.description, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, Self.isOwn(status), flock(file, LOCK_EX | LOCK_NB) == 0 else { return false }
        let model = RecordingPlan.inOneGo().head
        var head = [UInt8](repeating: 0, count: model.count)
        let (count, _) = head.withUnsafeMutableBytes { FileDescriptor(rawValue: file).fill($0, from: 0) }
        return count == 0 || head == model || head.allSatisfy { $0 == 0 }
    }
}
