// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A process that holds vCPUs, as its descriptors show.
struct FoundVM: Equatable, Sendable {
    var process: Int32
    var command: String
    /// The guest's own name.
    var guest: String?
    /// vCPU ids, ascending; an id comes once for each VM of the process that has it.
    var vcpus: [Int32]

    /// `web01 (pid 214)`.
    var name: String { "\(guest ?? command) (pid \(process))" }
}

/// Finds the vCPUs that exist already, before they have shown an event.
enum VCPUFinder {
    /// By process. Without root only the caller's own are seen.
    static func find(in proc: String = "/proc") -> [FoundVM] {
        SystemFile.names(in: proc).compactMap { Int32($0) }.sorted().compactMap { process in
            let directory = "\(proc)/\(process)/fd"
            let vcpus = SystemFile.names(in: directory).compactMap { name in
                SystemFile.target("\(directory)/\(name)").flatMap(vcpuID)
            }
            guard !vcpus.isEmpty else { return nil }
            return FoundVM(
                process: process, command: SystemFile.text("\(proc)/\(process)/comm") ?? "",
                guest: GuestName.of(process: process, in: proc), vcpus: vcpus.sorted())
        }
    }

    /// The id in a descriptor's target, `anon_inode:kvm-vcpu:N` (virt/kvm/kvm_main.c, create_vcpu_fd).
    private static func vcpuID(_ target: String) -> Int32? {
        let prefix = "anon_inode:kvm-vcpu:"
        guard target.hasPrefix(prefix) else { return nil }
        return Int32(target.dropFirst(prefix.count))
    }
}
