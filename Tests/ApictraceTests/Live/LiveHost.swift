// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

/// What the live tests need of the machine that they run on.
enum LiveHost {
    /// Each says by itself why a test was skipped.
    static let needs: [any SuiteTrait & TestTrait] = [
        .enabled(if: geteuid() == 0, "live tracing needs root"),
        .enabled(if: access("/dev/kvm", R_OK | W_OK) == 0, "there is no /dev/kvm"),
        .enabled(if: access("/sys/kernel/btf/vmlinux", R_OK) == 0, "the kernel has no BTF"),
        .enabled(if: hasTracefs, "tracefs can't be mounted"),
    ]

    /// Mounts it where nobody has yet.
    private static let hasTracefs: Bool = {
        let directory = "/sys/kernel/tracing"
        return access(directory + "/events", F_OK) == 0 || mount("nodev", directory, "tracefs", 0, nil) == 0
    }()

    /// KVM emulates every access to the APIC, so that each leaves its events.
    static let emulatesAPIC = access("/sys/module/kvm_pvm", F_OK) == 0
}
