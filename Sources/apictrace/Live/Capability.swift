// SPDX-License-Identifier: Apache-2.0

/// The capabilities that live tracing has a use for, by their bit (include/uapi/linux/capability.h).
enum Capability: UInt64, CaseIterable {
    case dacOverride = 1
    case dacReadSearch = 2
    case sysPtrace = 19
    case sysAdmin = 21
    case perfmon = 38
    case bpf = 39

    var name: String {
        switch self {
        case .dacOverride: "CAP_DAC_OVERRIDE"
        case .dacReadSearch: "CAP_DAC_READ_SEARCH"
        case .sysPtrace: "CAP_SYS_PTRACE"
        case .sysAdmin: "CAP_SYS_ADMIN"
        case .perfmon: "CAP_PERFMON"
        case .bpf: "CAP_BPF"
        }
    }
}
