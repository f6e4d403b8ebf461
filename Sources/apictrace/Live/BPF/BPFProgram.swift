// SPDX-License-Identifier: Apache-2.0
import CBPF

/// One program of a ``BPFObject``, which must outlive it.
struct BPFProgram {
    fileprivate let raw: OpaquePointer

    init(raw: OpaquePointer) {
        self.raw = raw
    }

    /// The C function's name; a variant's ends in `__N`, see ``argumentCount``.
    var name: String {
        String(cString: bpf_program__name(raw))
    }

    /// The tracepoint it is for: the last part of its section's name.
    var tracepoint: String {
        let section = String(cString: bpf_program__section_name(raw))
        return section.split(separator: "/").last.map(String.init) ?? section
    }

    /// It hangs on no tracepoint: ``run(_:)`` runs it.
    var isOnDemand: Bool { tracepoint == "syscall" }

    /// Lets the kernel run it now. What fails is not reported: up to 5.18 it takes privileges that a run has given up by then.
    func run<Request>(_ request: Request) {
        withUnsafeBytes(of: request) { bytes in
            var options = bpf_test_run_opts()
            options.sz = MemoryLayout<bpf_test_run_opts>.size
            options.ctx_in = bytes.baseAddress
            options.ctx_size_in = UInt32(bytes.count)
            bpf_prog_test_run_opts(bpf_program__fd(raw), &options)
        }
    }

    /// How many arguments the tracepoint must have for this variant; nil where every prototype will do.
    var argumentCount: Int? {
        guard let start = name.firstRange(of: "__")?.upperBound else { return nil }
        return Int(name[start...])
    }

    /// Whether ``BPFObject/load()`` is to load it.
    func setLoads(_ loads: Bool) {
        bpf_program__set_autoload(raw, loads)
    }

    var loads: Bool {
        bpf_program__autoload(raw)
    }

    /// How often it was not run because it ran already on that CPU, e.g. below an interrupt; 0 where the kernel is too
    /// old to tell (5.12).
    var misses: UInt64 {
        var info = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        return bpf_obj_get_info_by_fd(bpf_program__fd(raw), &info, &size) == 0 ? info.recursion_misses : 0
    }

    /// The link is the caller's to destroy.
    func attach() throws(BPFError) -> OpaquePointer {
        guard let link = bpf_program__attach(raw) else { throw .last("bpf_program__attach", name) }
        return link
    }
}
