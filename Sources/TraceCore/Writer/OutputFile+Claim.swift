// SPDX-License-Identifier: Apache-2.0
import Glibc

extension OutputFile {
    /// O_PATH of fcntl.h, which the module lacks: a folder that may not be listed will do.
    private static let placeOnly: Int32 = 0o10000000

    /// Opens a file to be written, and makes it where there is none, for its user alone; what it holds is still there.
    ///
    /// Root writes it, and it holds what only root may see. So it goes through no link, onto no other user's file in a folder
    /// where anybody may put one (the rule of fs.protected_regular, fs/namei.c), and not onto what another run is writing.
    static func claimed(_ path: String) throws(TraceWriterError) -> Int32 {
        let (directory, file) = parts(of: path)
        let folder = open(directory, placeOnly | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .last("can't be created", file: path) }
        defer { close(folder) }
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let descriptor = openat(folder, file, flags, 0o600)
        guard descriptor >= 0 else {
            throw errno == ELOOP ? .refused(path, "it is a symbolic link") : .last("can't be created", file: path)
        }
        do throws(TraceWriterError) {
            try check(descriptor, in: folder, path: path)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Locks an open file, if it may be written to.
    private static func check(_ descriptor: Int32, in folder: Int32, path: String) throws(TraceWriterError) {
        var (status, surroundings) = (stat(), stat())
        guard fstat(descriptor, &status) == 0, fstat(folder, &surroundings) == 0 else {
            throw .last("can't be created", file: path)
        }
        // Such as /dev/null, which has nothing to lose.
        if status.st_mode & S_IFMT == S_IFCHR { return }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .refused(path, "it is no regular file") }
        guard status.st_nlink <= 1 else { throw .refused(path, "the file has another name, too (a hard link)") }
        let isAnybodys = surroundings.st_mode & S_ISVTX != 0 && surroundings.st_mode & (S_IWOTH | S_IWGRP) != 0
        if isAnybodys, status.st_uid != geteuid(), status.st_uid != surroundings.st_uid {
            throw .refused(path, "the file is another user's, in a folder where anybody may put one")
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw .refused(path, "another run is writing it")
        }
        // What an earlier run left open to others is closed to them; a file of another user's keeps its mode.
        _ = fchmod(descriptor, 0o600)
    }

    /// The folder, and the name in it.
    private static func parts(of path: String) -> (directory: String, file: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let file = path[path.index(after: slash)...]
        return (String(path[...slash]), file.isEmpty ? "." : String(file))
    }
}
