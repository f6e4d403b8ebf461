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

    @Test func `a set has a bit for each kind`() {
        #expect(EventKind.allCases.count <= EventKindSet.RawValue.bitWidth)
        #expect(EventKindSet(rawValue: .max).kinds == EventKind.allCases)
    }

    @Test func `no event has more fields than a binding has slots`() {
        for kind in EventKind.allCases { #expect(kind.tracepoint.fields.count <= Tracepoint.PerField<FieldSlot>.count) }
    }

    @Test func `names of tracepoints fit into a record of counts`() {
        for name in EventKind.allCases.flatMap(\.tracepoints) { #expect(name.utf8.count < OwnEvent.longestTracepoint) }
    }
}
