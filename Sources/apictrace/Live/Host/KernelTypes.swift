// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// The type information (BTF) of the running kernel and of KVM's modules: what this kernel has, whatever its version.
struct KernelTypes: ~Copyable {
    /// Where kernel and modules show their BTF.
    static let directory = "/sys/kernel/btf/"

    /// vmlinux first, then each module of KVM that has BTF of its own.
    private let parts: [(name: String, types: OpaquePointer)]
    /// Number of arguments of each of KVM's tracepoints, by name.
    private let tracepoints: [String: Int]

    private static let modules = ["kvm", "kvm_intel", "kvm_amd"]

    /// Some of KVM's types are in a file of their own, or will be once it is loaded.
    static var areModules: Bool {
        !SystemFile.exists(HostFacts.moduleDirectory + "kvm") || modules.contains { SystemFile.exists(directory + $0) }
    }

    init() throws(BPFError) {
        // What libbpf prints of types that can't be read, the error says.
        let log = LibbpfLog()
        defer { withExtendedLifetime(log) {} }
        let path = Self.directory + "vmlinux"
        guard let base = btf__parse(path, nil) else { throw .last("btf__parse", path) }
        var parts = [(name: "vmlinux", types: base)]
        var tracepoints = Self.tracepoints(in: base, from: 1)
        let firstOfModule = btf__type_cnt(base)
        for module in Self.modules {
            guard let types = btf__parse_split(Self.directory + module, base) else { continue }
            parts.append((module, types))
            tracepoints.merge(Self.tracepoints(in: types, from: firstOfModule)) { first, _ in first }
        }
        self.parts = parts
        self.tracepoints = tracepoints
    }

    deinit {
        // The split parts refer to the base.
        for part in parts.reversed() { btf__free(part.types) }
    }

    /// Names of the parts found, e.g. `vmlinux`, `kvm`, `kvm_intel`.
    var names: [String] { parts.map(\.name) }

    /// KVM's tracepoints are there: built in, or in the loaded module.
    var hasKVM: Bool { tracepoints["kvm_exit"] != nil }

    /// How many arguments a tracepoint passes to its probes; nil where the kernel has no such tracepoint.
    func argumentCount(ofTracepoint name: String) -> Int? {
        tracepoints[name]
    }

    /// Whether a struct has a member of that name; nil where no part knows the struct.
    func hasMember(_ member: String, of structure: String) -> Bool? {
        for (_, types) in parts {
            let id = btf__find_by_name_kind(types, structure, UInt32(BTF_KIND_STRUCT))
            guard id > 0, let type = btf__type_by_id(types, UInt32(id)) else { continue }
            return Self.members(of: type, in: types).contains(member)
        }
        return nil
    }

    /// An enum's constants by value, gaps left out; empty where no part knows it.
    func constants(ofEnum name: String) -> [String] {
        for (_, types) in parts {
            let id = btf__find_by_name_kind(types, name, UInt32(BTF_KIND_ENUM))
            guard id > 0, let type = btf__type_by_id(types, UInt32(id)) else { continue }
            return UnsafeBufferPointer(start: btf_enum(type), count: Int(btf_vlen(type)))
                .sorted { $0.val < $1.val }.map { Self.string(at: $0.name_off, in: types) }
        }
        return []
    }

    /// Where a variable of every CPU lies in its area; nil where the types don't tell of it.
    func placeOfPerCPU(_ name: String) -> UInt32? {
        let base = parts[0].types
        let id = btf__find_by_name(base, ".data..percpu")
        guard id > 0, let section = btf__type_by_id(base, UInt32(id)), btf_is_datasec(section) else { return nil }
        return UnsafeBufferPointer(start: btf_var_secinfos(section), count: Int(btf_vlen(section))).first { place in
            guard let variable = btf__type_by_id(base, place.type) else { return false }
            return Self.string(at: variable.pointee.name_off, in: base) == name
        }?.offset
    }

    private static func members(of type: UnsafePointer<btf_type>, in types: OpaquePointer) -> [String] {
        UnsafeBufferPointer(start: btf_members(type), count: Int(btf_vlen(type))).map {
            string(at: $0.name_off, in: types)
        }
    }

    /// Tracepoints show as `typedef void (*btf_trace_NAME)(void *, ...)` (include/trace/bpf_probe.h).
    private static func tracepoints(in types: OpaquePointer, from first: UInt32) -> [String: Int] {
        let prefix = "btf_trace_"
        var found: [String: Int] = [:]
        for id in first..<max(first, btf__type_cnt(types)) {
            guard let type = btf__type_by_id(types, id), btf_is_typedef(type),
                let name = btf__name_by_offset(types, type.pointee.name_off),
                strncmp(name, prefix, prefix.utf8.count) == 0,
                let pointer = btf__type_by_id(types, type.pointee.type), btf_is_ptr(pointer),
                let prototype = btf__type_by_id(types, pointer.pointee.type),
                btf_is_func_proto(prototype)
            else { continue }
            found[String(cString: name + prefix.utf8.count)] = Int(btf_vlen(prototype)) - 1
        }
        return found
    }

    private static func string(at offset: UInt32, in types: OpaquePointer) -> String {
        btf__name_by_offset(types, offset).map { String(cString: $0) } ?? ""
    }
}
