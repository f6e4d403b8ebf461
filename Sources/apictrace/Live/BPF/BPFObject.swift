// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Probes

/// The opened object of all probes: its programs and maps. Closing it unloads what nothing else holds.
struct BPFObject: ~Copyable {
    private let raw: OpaquePointer

    /// Parses the embedded object; the kernel sees nothing of it yet.
    ///
    /// libbpf asks the kernel for the modules' types where vmlinux lacks one, which takes CAP_SYS_ADMIN. Where KVM has no
    /// modules nothing can come of it: told which types to use, libbpf doesn't ask.
    init() throws(BPFError) {
        let opened = Probes.withObject { bytes in
            "apictrace".withCString { name in
                (KernelTypes.directory + "vmlinux").withCString { types in
                    var options = bpf_object_open_opts()
                    options.sz = MemoryLayout<bpf_object_open_opts>.size
                    options.object_name = name
                    if !KernelTypes.areModules { options.btf_custom_path = types }
                    return bpf_object__open_mem(bytes.baseAddress, bytes.count, &options)
                }
            }
        }
        guard let opened else { throw .last("bpf_object__open_mem") }
        raw = opened
    }

    deinit {
        bpf_object__close(raw)
    }

    /// The programs, in the order of their source.
    var programs: [BPFProgram] {
        var programs: [BPFProgram] = []
        var last: OpaquePointer?
        while let next = bpf_object__next_program(raw, last) {
            programs.append(BPFProgram(raw: next))
            last = next
        }
        return programs
    }

    /// Writes the probes' configuration. Before ``load()`` only: the kernel freezes it then.
    func configure(_ config: probe_config) throws(BPFError) {
        let map = try map(".rodata.config")
        var size = 0
        guard let value = bpf_map__initial_value(map, &size), size >= MemoryLayout<probe_config>.size else {
            throw BPFError("bpf_map__initial_value", ".rodata.config", code: EINVAL)
        }
        UnsafeMutableRawPointer(mutating: value).storeBytes(of: config, as: probe_config.self)
    }

    /// Sets a map's number of entries (bytes, for a ring). Before ``load()`` only.
    func resize(_ name: String, to entries: UInt32) throws(BPFError) {
        let code = bpf_map__set_max_entries(try map(name), entries)
        guard code == 0 else { throw BPFError("bpf_map__set_max_entries", name, code: -code) }
    }

    /// Loads maps and programs into the kernel, which verifies them.
    func load() throws(BPFError) {
        let code = bpf_object__load(raw)
        guard code == 0 else { throw BPFError("bpf_object__load", code: -code) }
    }

    /// A map's descriptor, which the object owns.
    func descriptor(ofMap name: String) throws(BPFError) -> Int32 {
        let descriptor = bpf_map__fd(try map(name))
        guard descriptor >= 0 else { throw BPFError("bpf_map__fd", name, code: -descriptor) }
        return descriptor
    }

    private func map(_ name: String) throws(BPFError) -> OpaquePointer {
        guard let map = bpf_object__find_map_by_name(raw, name) else {
            throw .last("bpf_object__find_map_by_name", name)
        }
        return map
    }
}
