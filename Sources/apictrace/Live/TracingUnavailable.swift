// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Why this host can't be traced with BPF now; each has one line that says what to do.
enum TracingUnavailable: Error, Equatable {
    case notPermitted(BPFError)
    case noBTF
    case noKVM
    case lockdown
    case noTracefs
    case tracepointMissing(String)
    /// The verifier or CO-RE turned a program down; the log is libbpf's.
    case refused(BPFError, log: String)
    case failed(BPFError)

    /// The lack is BPF's alone: tracefs may still do.
    var leavesFtrace: Bool {
        switch self {
        case .noBTF, .noKVM, .refused, .failed, .notPermitted: true
        case .lockdown, .noTracefs, .tracepointMissing: false
        }
    }

    var text: String {
        switch self {
        case .notPermitted(let error):
            "not permitted to trace (\(error.text)); run it as root, or see apictrace doctor for the capabilities it needs"
        case .noBTF:
            "the kernel has no type information (/sys/kernel/btf/vmlinux); it needs CONFIG_DEBUG_INFO_BTF=y"
        case .noKVM:
            "KVM isn't loaded, or its modules have no type information; "
                + "load kvm_intel or kvm_amd and look for /sys/kernel/btf/kvm"
        case .lockdown:
            "kernel lockdown is in confidentiality mode, which forbids tracing; boot with lockdown=integrity or none"
        case .noTracefs:
            "tracefs isn't mounted; run: mount -t tracefs nodev /sys/kernel/tracing"
        case .tracepointMissing(let name):
            "this kernel has no tracepoint \(name); it needs Linux 5.10 or later with CONFIG_KVM and CONFIG_TRACING"
        case .refused(let error, _):
            "the kernel refused a probe (\(error.text)); --verifier-log shows why"
        case .failed(let error):
            "tracing failed: \(error.text)"
        }
    }
}

extension TracingUnavailable {
    /// Why loading or attaching failed.
    init(_ error: BPFError, log: String) {
        switch error.code {
        case EPERM where HostFacts.isLockedDown: self = .lockdown
        case EPERM: self = .notPermitted(error)
        case EACCES where log.isEmpty, EACCES where error.call == "bpf_program__attach": self = .notPermitted(error)
        case ENOENT where error.call == "bpf_program__attach": self = .noTracefs
        default: self = error.call == "bpf_object__load" ? .refused(error, log: log) : .failed(error)
        }
    }
}
