// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import apictrace

/// What a failed call means to the user; conditions that this host can be put in are tested on the command itself.
@Suite struct TracingUnavailableTests {
    private func unavailable(_ call: String, _ code: Int32, log: String = "") -> TracingUnavailable {
        TracingUnavailable(BPFError(call, "kvm_exit", code: code), log: log)
    }

    @Test func `what the verifier says is kept, and is not the lack of a capability`() {
        let refused = unavailable("bpf_object__load", EACCES, log: "R1 invalid mem access")
        #expect(
            refused == .refused(BPFError("bpf_object__load", "kvm_exit", code: EACCES), log: "R1 invalid mem access"))
        #expect(refused.text.contains("--verifier-log"))
        guard case .refused = unavailable("bpf_object__load", EINVAL) else {
            Issue.record("a relocation that fails is a refusal")
            return
        }
    }

    @Test func `a call that isn't permitted is the lack of a capability`() {
        for error in [
            unavailable("bpf_object__load", EPERM), unavailable("bpf_object__load", EACCES),
            unavailable("bpf_program__attach", EACCES, log: "libbpf: failed to open"),
        ] {
            guard case .notPermitted = error else {
                Issue.record("\(error)")
                return
            }
            #expect(error.text.contains("see apictrace doctor"))
        }
    }

    @Test func `a tracepoint that can't be found for lack of tracefs says how to mount it`() {
        #expect(unavailable("bpf_program__attach", ENOENT) == .noTracefs)
        #expect(TracingUnavailable.noTracefs.text.contains("mount -t tracefs"))
    }

    @Test func `a lack of descriptors is no refusal, and leads to no other backend`() {
        let lack = unavailable("bpf_object__load", EMFILE, log: "libbpf: failed to create map")
        #expect(lack == .outOfDescriptors(BPFError("bpf_object__load", "kvm_exit", code: EMFILE)))
        #expect(lack.text.contains("ulimit -n"))
        #expect(!lack.leavesFtrace)
    }

    @Test(arguments: [
        TracingUnavailable.userNamespace, .ftraceNeedsRoot, .outOfDescriptors(BPFError("open", code: EMFILE)),
        .readOnlyTracefs(BPFError("mkdir", code: EROFS)), .noBTF, .noKVM, .lockdown, .noTracefs,
        .tracepointMissing("kvm_exit"),
        .refused(BPFError("bpf_object__load", code: EINVAL), log: "a\nb"), .notPermitted(BPFError("bpf", code: EPERM)),
    ])
    func `each takes one line`(_ unavailable: TracingUnavailable) {
        #expect(!unavailable.text.contains("\n"))
    }
}
