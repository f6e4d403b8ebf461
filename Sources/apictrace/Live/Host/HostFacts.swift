// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// What the running host says of itself: kernel, KVM's modules and their parameters.
struct HostFacts: Equatable, Sendable {
    struct Parameter: Equatable, Sendable {
        var module: String
        var name: String
        var value: String
    }

    /// Release and version, as `uname -rv` prints them.
    var kernel: String
    /// `x86_64`.
    var machine: String
    /// CPUs that the kernel may bring up.
    var cpus: Int
    var isa: ISA
    /// KVM's modules, loaded or built in.
    var modules: [String]
    var parameters: [Parameter]

    static let moduleDirectory = "/sys/module/"

    static var current: HostFacts {
        var name = utsname()
        uname(&name)
        let modules = SystemFile.names(in: moduleDirectory).filter { $0 == "kvm" || $0.hasPrefix("kvm_") }.sorted()
        let parameters = modules.flatMap { module in
            let directory = moduleDirectory + module + "/parameters/"
            return SystemFile.names(in: directory).sorted().compactMap { name in
                SystemFile.text(directory + name).map { Parameter(module: module, name: name, value: $0) }
            }
        }
        return HostFacts(
            kernel: text(name.release) + " " + text(name.version), machine: text(name.machine),
            cpus: Int(sysconf(Int32(_SC_NPROCESSORS_CONF))), isa: isa(modules), modules: modules, parameters: parameters
        )
    }

    static var onlineCPUs: Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Lockdown in confidentiality mode forbids BPF to read kernel memory (security/lockdown/lockdown.c).
    static var isLockedDown: Bool {
        SystemFile.text("/sys/kernel/security/lockdown")?.contains("[confidentiality]") ?? false
    }

    /// The capabilities that this process sees are those of a user namespace: its ids are not all the host's own
    /// (user_namespaces(7)). False where /proc doesn't tell.
    static var isInUserNamespace: Bool {
        guard let map = SystemFile.text("/proc/self/uid_map") else { return false }
        return map.split(whereSeparator: \.isWhitespace) != ["0", "0", "4294967295"]
    }

    /// What the CPU offers decides, as a kernel may hold both vendors' code.
    private static func isa(_ modules: [String]) -> ISA {
        let flags = SystemFile.text("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        let words = flags.split(separator: " ")
        if words.contains("vmx"), modules.contains("kvm_intel") { return .vmx }
        if words.contains("svm"), modules.contains("kvm_amd") { return .svm }
        return modules.contains("kvm_pvm") ? .pvm : .unknown
    }

    private static func text(_ field: some Any) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
