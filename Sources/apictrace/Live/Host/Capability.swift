// SPDX-License-Identifier: Apache-2.0

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
