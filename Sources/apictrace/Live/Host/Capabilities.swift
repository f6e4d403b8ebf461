// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// A set of capabilities.
struct Capabilities: Equatable {
    private(set) var bits: UInt64

    init(_ capabilities: [Capability]) {
        bits = capabilities.reduce(0) { $0 | 1 << $1.rawValue }
    }

    private init(bits: UInt64) {
        self.bits = bits
    }

    /// Those that this process may put into effect; none where the kernel doesn't tell. It has one thread while it holds any.
    static var permitted: Capabilities {
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        return Capabilities(bits: cbpf_get_capabilities(&effective, &permitted) == 0 ? permitted : 0)
    }

    /// CAP_SYS_ADMIN stands for what was split off from it, too (include/linux/capability.h, bpf_capable, perfmon_capable).
    func allow(_ capability: Capability) -> Bool {
        let isSplitOff = capability == .bpf || capability == .perfmon
        return has(capability) || isSplitOff && has(.sysAdmin)
    }

    private func has(_ capability: Capability) -> Bool {
        bits & 1 << capability.rawValue != 0
    }

    /// What probes need, and no more. CAP_DAC_READ_SEARCH to read the ids of tracepoints in tracefs, which is root's;
    /// CAP_SYS_ADMIN where KVM is a module, for the kernel hands a module's BTF (kernel/bpf/syscall.c, BPF_BTF_GET_FD_BY_ID) to
    /// no less.
    static let probing: [Capability] = [.bpf, .perfmon, .dacReadSearch] + (KernelTypes.areModules ? [.sysAdmin] : [])

    /// ``probing`` as setcap(8) takes it.
    static let fileCapabilities = probing.map { $0.name.lowercased() }.joined(separator: ",") + "+ep"
}

/// The capabilities that live tracing needs, by their bit (include/uapi/linux/capability.h).
enum Capability: UInt64, CaseIterable {
    case dacReadSearch = 2
    case sysAdmin = 21
    case perfmon = 38
    case bpf = 39

    var name: String {
        switch self {
        case .dacReadSearch: "CAP_DAC_READ_SEARCH"
        case .sysAdmin: "CAP_SYS_ADMIN"
        case .perfmon: "CAP_PERFMON"
        case .bpf: "CAP_BPF"
        }
    }
}
