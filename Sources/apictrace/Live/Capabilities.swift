// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// A set of capabilities, and those of this process. It has one thread, whose capabilities are the process's.
struct Capabilities: Equatable {
    private(set) var bits: UInt64

    init(_ capabilities: Capability...) {
        bits = capabilities.reduce(0) { $0 | 1 << $1.rawValue }
    }

    private init(bits: UInt64) {
        self.bits = bits
    }

    /// What probes need. CAP_SYS_ADMIN because the kernel hands a module's BTF (kernel/bpf/syscall.c, BPF_BTF_GET_FD_BY_ID) to
    /// no less; CAP_DAC_READ_SEARCH to read the ids of tracepoints in tracefs, which is root's.
    static let probing: [Capability] = [.bpf, .perfmon, .sysAdmin, .dacReadSearch]

    /// What a tracefs instance needs of someone who isn't root: to make, write and remove what is root's.
    static let instance: [Capability] = [.dacOverride]

    /// For setcap(8): everything that either backend, and finding other users' VMs, has a use for.
    static let fileCapabilities =
        Capability.allCases.map { $0.name.lowercased() }.joined(separator: ",") + "+ep"

    /// The effective ones; none where the kernel doesn't tell.
    static var current: Capabilities {
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        return Capabilities(bits: cbpf_get_capabilities(&effective, &permitted) == 0 ? effective : 0)
    }

    func has(_ capability: Capability) -> Bool {
        bits & 1 << capability.rawValue != 0
    }

    /// Gives up all others, for good: called once everything is attached and open.
    ///
    /// - Parameters:
    ///   - kept: still needed at the end.
    ///   - startsCommand: A command is to follow, which gets what its user gets anywhere: all for root, none for others.
    static func drop(keeping kept: Capabilities = Capabilities(), startsCommand: Bool) throws(BPFError) {
        if !startsCommand {
            // Up to the first that this kernel doesn't have. It takes CAP_SETPCAP; without it nobody is root here anyway.
            var capability: Int32 = 0
            while cbpf_drop_from_bounding_set(capability) == 0 { capability += 1 }
            guard cbpf_forbid_new_privileges() == 0 else { throw .last("prctl", "PR_SET_NO_NEW_PRIVS") }
        }
        guard cbpf_set_capabilities(kept.bits & current.bits) == 0 else { throw .last("capset") }
    }
}
