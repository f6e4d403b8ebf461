// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Why this host can't be traced now; each has one line that says what to do.
enum TracingUnavailable: Error, Equatable, CustomStringConvertible {
    case notPermitted(BPFError)
    /// Its capabilities are those of a user namespace.
    case userNamespace
    case noBTF
    case noKVM
    case lockdown
    case noSysfs
    case noTracefs
    case readOnlyTracefs(BPFError)
    case ftraceNeedsRoot
    case tracepointMissing(String)
    case outOfDescriptors(BPFError)
    /// The verifier or CO-RE turned a program down; the log is libbpf's.
    case refused(BPFError, log: String)
    case failed(BPFError)

    /// The lack is BPF's alone: tracefs may still do.
    var leavesFtrace: Bool {
        switch self {
        case .noBTF, .noKVM, .refused, .failed, .notPermitted, .userNamespace: true
        case .lockdown, .noSysfs, .noTracefs, .readOnlyTracefs, .ftraceNeedsRoot, .tracepointMissing, .outOfDescriptors:
            false
        }
    }

    var description: String { text }

    var text: String {
        switch self {
        case .notPermitted(let error):
            "not permitted to trace (\(error.text)); "
                + (getuid() == 0
                    ? "this root has not all capabilities, as in a container: see apictrace doctor"
                    : "run it as root, or see apictrace doctor for the capabilities it needs")
        case .userNamespace:
            "this is a user namespace, and tracing takes the host's own capabilities; run it outside of it"
        case .noBTF:
            "the kernel has no type information (/sys/kernel/btf/vmlinux); it needs CONFIG_DEBUG_INFO_BTF=y"
        case .noKVM:
            "KVM isn't loaded, or its modules have no type information; "
                + "load kvm_intel or kvm_amd and look for /sys/kernel/btf/kvm"
        case .lockdown:
            "kernel lockdown is in confidentiality mode, which forbids tracing; boot with lockdown=integrity or none"
        case .noSysfs:
            "sysfs isn't mounted here; run: mount -t sysfs sysfs /sys"
        case .noTracefs:
            "tracefs isn't mounted; run: mount -t tracefs nodev /sys/kernel/tracing"
        case .readOnlyTracefs(let error):
            "tracefs is read-only here (\(error.text)), and --backend ftrace writes to it; mount it writable"
        case .ftraceNeedsRoot:
            "--backend ftrace must be run as root: it makes an instance of its own in tracefs, which is root's"
        case .tracepointMissing(let name):
            "this kernel has no tracepoint \(name); it needs Linux 5.10 or later with CONFIG_KVM and CONFIG_TRACING"
        case .failed(let error) where [EMFILE, ENFILE].contains(error.code), .outOfDescriptors(let error):
            "no file descriptor is left (\(error.text)); raise the limit: ulimit -n \(Self.enoughDescriptors)"
        case .refused(let error, _):
            "the kernel refused a probe (\(error.text)); --verifier-log shows why"
        case .failed(let error):
            "tracing failed: \(error.text)"
        }
    }

    /// More than programs, links and maps take, and ftrace's pipes, one a CPU.
    private static var enoughDescriptors: Int { 256 + sysconf(Int32(_SC_NPROCESSORS_CONF)) }
}

extension TracingUnavailable {
    /// Why ``Tracefs/directory`` is nil.
    static var withoutTracefs: TracingUnavailable {
        guard SystemFile.exists("/sys/kernel") else { return .noSysfs }
        guard Tracefs.isMounted else { return .noTracefs }
        return TracingUnavailable(BPFError("open", "tracefs", code: EACCES))
    }

    /// Why loading or attaching failed.
    init(_ error: BPFError, log: String = "") {
        switch error.code {
        case EMFILE, ENFILE: self = .outOfDescriptors(error)
        case EROFS: self = .readOnlyTracefs(error)
        case EPERM where HostFacts.isLockedDown: self = .lockdown
        case EPERM where HostFacts.isInUserNamespace: self = .userNamespace
        case EPERM: self = .notPermitted(error)
        case EACCES where log.isEmpty, EACCES where error.call != "bpf_object__load":
            self = HostFacts.isInUserNamespace ? .userNamespace : .notPermitted(error)
        case ENOENT where error.call == "bpf_program__attach": self = .noTracefs
        default: self = error.call == "bpf_object__load" ? .refused(error, log: log) : .failed(error)
        }
    }
}
