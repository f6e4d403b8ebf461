// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// Where tracefs is, and the instances that tracing leaves in it.
enum Tracefs {
    /// libbpf looks in the same two places.
    static let candidates = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]

    /// The mounted one; nil where there is none that this process may read.
    static var directory: String? {
        candidates.first { SystemFile.exists($0 + "/events") }
    }

    /// It is mounted, whether or not this process may look into it.
    static var isMounted: Bool {
        candidates.contains { path in
            var volume = statfs()
            return statfs(path, &volume) == 0 && volume.f_type == magic
        }
    }

    /// TRACEFS_MAGIC (include/uapi/linux/magic.h).
    private static let magic = 0x7472_6163

    /// Instances can't be made in it; false where it isn't there.
    static var isReadOnly: Bool {
        var volume = statvfs()
        guard let directory, statvfs(directory, &volume) == 0 else { return false }
        return volume.f_flag & UInt(ST_RDONLY) != 0
    }

    /// KVM is loaded, and its events can be read.
    static var hasKVMEvents: Bool { directory.map { SystemFile.exists($0 + "/events/kvm") } ?? false }

    /// An instance of ours is called so, followed by the process id.
    static let instancePrefix = "apictrace-"

    /// Paths of instances whose process has gone.
    static func leftovers() -> [String] {
        guard let directory else { return [] }
        return SystemFile.names(in: directory + "/instances").sorted().filter { name in
            guard name.hasPrefix(instancePrefix), let process = pid_t(name.dropFirst(instancePrefix.count)) else {
                return false
            }
            return kill(process, 0) != 0 && errno == ESRCH
        }.map { "\(directory)/instances/\($0)" }
    }

    /// Removes them. One that is read at the moment (EBUSY) belongs to a process of another pid namespace, and stays.
    /// - Returns: those that could not be removed.
    @discardableResult
    static func removeLeftovers() -> [String] {
        leftovers().filter { rmdir($0) != 0 }
    }
}
