// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct EventKindTests {
    @Test func `both names of a nested entry are one kind`() {
        #expect(EventKind(tracepoint: "kvm_nested_vmrun") == .nestedVMEnter)
        #expect(EventKind(tracepoint: "kvm_nested_vmenter") == .nestedVMEnter)
    }

    @Test func `a set holds what was put in`() {
        var set = EventKindSet(.exit, .avicGALog)
        set.insert(.entry)
        #expect(set.kinds == [.entry, .exit, .avicGALog])
    }
}
