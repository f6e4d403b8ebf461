// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// KVM's decision on a fault, a test a row and its columns by kernel.
@Suite struct FaultInTableTests {
    /// 5.4 to 5.10, 5.15 to 6.8, 6.12 and later.
    private func decisions(
        _ slot: FaultInTable.Slot, inL2: Bool, active: Bool = true, mmioCaching: Bool = true
    ) -> [FaultInTable.Decision] {
        FaultInTable.Generation.allCases.map {
            FaultInTable.decide(
                .init(slot: slot, inL2: inL2, apicvActivated: active, mmioCaching: mmioCaching), in: $0)
        }
    }

    @Test(arguments: [false, true]) func `a slot that is being moved is tried again`(_ inL2: Bool) {
        #expect(decisions(.invalid, inL2: inL2) == [.retry, .retry, .retry])
    }

    @Test(arguments: [false, true]) func `no slot: an MMIO SPTE, and emulated at once`(_ inL2: Bool) {
        #expect(decisions(.none, inL2: inL2) == Array(repeating: .installMMIOSPTEAndEmulate, count: 3))
    }

    @Test(arguments: [false, true]) func `no slot with mmio_caching off: emulated each time`(_ inL2: Bool) {
        #expect(decisions(.none, inL2: inL2, mmioCaching: false) == [.emulateOnly, .emulateOnly, .emulateOnly])
    }

    @Test(arguments: [false, true]) func `L1's APIC page is MMIO to L2, whatever APICv's state`(_ active: Bool) {
        let expected = [FaultInTable.Decision](repeating: .installMMIOSPTEAndEmulate, count: 3)
        #expect(decisions(.apicAccessPage, inL2: true, active: active) == expected)
    }

    @Test func `the TSS and identity-map slots are hidden from L2 up to 6_8`() {
        #expect(
            decisions(.otherPrivate, inL2: true) == [.installMMIOSPTEAndEmulate, .installMMIOSPTEAndEmulate, .map])
    }

    @Test func `the APIC page is emulated without an SPTE while APICv is inhibited, from 5_15 on`() {
        #expect(decisions(.apicAccessPage, inL2: false, active: false) == [.map, .emulateOnly, .emulateOnly])
    }

    @Test func `the APIC page is mapped for L1 while APICv is active`() {
        #expect(decisions(.apicAccessPage, inL2: false, active: true) == [.map, .map, .map])
    }

    @Test func `the other private slots are mapped for L1`() {
        #expect(decisions(.otherPrivate, inL2: false, active: false) == [.map, .map, .map])
    }

    @Test(arguments: [false, true]) func `ordinary memory is mapped`(_ inL2: Bool) {
        #expect(decisions(.ordinary, inL2: inL2, active: false, mmioCaching: false) == [.map, .map, .map])
    }
}
