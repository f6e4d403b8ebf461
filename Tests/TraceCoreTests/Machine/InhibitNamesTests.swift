// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// The inhibit bits of each kernel's own numbering (`enum kvm_apicv_inhibit`).
@Suite struct InhibitNamesTests {
    private static let rhel = "Linux host 5.14.0-427.13.1.el9_4 x86_64"

    @Test(arguments: [
        ("5.18.19", 2, "NESTED"), ("5.18.19", 3, "IRQWIN"), ("5.18.19", 6, "BLOCKIRQ"), ("5.18.19", 7, "ABSENT"),
        ("5.18.19", 8, "bit 8"),
        ("5.19.17", 2, "ABSENT"), ("5.19.17", 3, "BLOCKIRQ"), ("5.19.17", 4, "APIC_ID_MODIFIED"),
        ("5.19.17", 9, "X2APIC"), ("5.19.17", 10, "SEV"),
        ("6.1.192", 4, "APIC_ID_MODIFIED"), ("6.0.19", 9, "SEV"), ("6.1.192", 9, "SEV"), ("6.2.16", 6, "NESTED"),
        ("6.3.13", 4, "PHYSICAL_ID_ALIASED"), ("6.11.11", 0, "DISABLE"),
        ("6.5.13", 4, "PHYSICAL_ID_ALIASED"), ("6.8.12", 9, "PIT_REINJ"), ("6.8.12", 0, "DISABLE"),
        ("6.8.12", 11, "LOGICAL_ID_ALIASED"), ("6.12.107", 0, "DISABLED"), ("6.14.11", 12, "bit 12"),
        ("6.15.11", 12, "PHYSICAL_ID_TOO_BIG"),
        ("6.17.13", 12, "PHYSICAL_ID_TOO_BIG"), ("7.3.4", 8, "IRQWIN"), ("6.8.0-45-generic", 8, "IRQWIN"),
    ])
    func `a bit has the name that its kernel gives it`(_ kernel: String, _ bit: Int, _ name: String) {
        let names = InhibitNames(spelled: [], kernel: "Linux host \(kernel) x86_64")
        #expect(names.name(bit: bit) == name)
    }

    @Test func `names that the format text spells go before any table`() {
        let names = InhibitNames(spelled: ["A", "", "C"], kernel: "5.18.0")
        #expect(names.names(of: 0b1111) == ["A", "bit 1", "C", "bit 3"])
    }

    @Test(arguments: [
        nil, rhel, "Linux host 5.10.223 x86_64", "Linux host 4.18.0-553.el8_10 x86_64",
        "Linux host 6.4.0-150600.23.25-default x86_64", "Linux host 6.6.0-28.0.0.34.oe2403 x86_64",
    ])
    func `a release that can't have the event, or is a frozen base, names no bit but those that all orders share`(
        _ kernel: String?
    ) {
        let names = InhibitNames(spelled: [], kernel: kernel)
        #expect(names.names(of: 0xfff) == ["DISABLE", "HYPERV"] + (2...11).map { "bit \($0)" })
        #expect(names.blockIRQ == 0x48)
    }

    @Test func `where only kvm_apicv_update_request is recorded the kernel is one of 5_10 to 5_17`() {
        let names = InhibitNames(spelled: [], kernel: nil, tellsMasks: false)
        #expect(names.names(of: 0x7f) == InhibitNames.from510 + ["bit 6"])
    }

    @Test(arguments: [("5.18.0", 0x40), ("6.1.0", 0x8), ("7.3.4", 0x8)])
    func `BLOCKIRQ's bit is known with the release`(_ kernel: String, _ mask: UInt64) {
        #expect(InhibitNames(spelled: [], kernel: kernel).blockIRQ == mask)
        #expect(InhibitNames(spelled: ["A"], kernel: kernel).blockIRQ == nil)
    }

    /// A VM on a kernel that says nothing of its order.
    private func created(absent bit: Int32, clears: Bool = true, then: (inout Trace) -> Void = { _ in }) -> Trace {
        var trace = Trace()
        trace.info.kernel = Self.rhel
        trace.thread(.vmm)
        trace.inhibit(reason: bit, set: true, mask: 1 << UInt64(bit))
        if clears { trace.inhibit(reason: bit, set: false, mask: 0) }
        then(&trace)
        trace.thread(.vcpu0)
        trace.exitOfL1()
        trace.enter()
        return trace
    }

    private func inhibits(_ trace: Trace) -> [[String]] {
        trace.outcome().report.vms.first?.apicv.map(\.inhibits) ?? []
    }

    @Test func `a VM's creation shows the order of 5_19 and later, and names what those share`() {
        let trace = created(absent: 2) {
            $0.inhibit(reason: 3, set: true, mask: 0x8)
            $0.inhibit(reason: 4, set: true, mask: 0x18)
        }
        #expect(inhibits(trace) == [["ABSENT"], [], ["BLOCKIRQ"], ["BLOCKIRQ", "bit 4"]])
    }

    @Test func `a VM's creation shows the order of 5_18`() {
        let trace = created(absent: 7) {
            $0.inhibit(reason: 6, set: true, mask: 0x40)
            $0.inhibit(reason: 3, set: true, mask: 0x48)
        }
        #expect(inhibits(trace) == [["ABSENT"], [], ["BLOCKIRQ"], ["IRQWIN", "BLOCKIRQ"]])
    }

    @Test func `a first inhibit that stays may be NESTED, and settles nothing`() {
        #expect(inhibits(created(absent: 2, clears: false)) == [["bit 2"]])
    }

    @Test func `a vCPU's thread that opens an interrupt window creates no VM`() {
        var trace = created(absent: 2, clears: false)
        trace.exitOfL1()
        trace.inhibit(reason: 7, set: true, mask: 0x80)
        trace.inhibit(reason: 7, set: false, mask: 0)
        trace.enter()
        let seen = trace.outcome()
        #expect(seen.vms.count == 1)
        #expect(seen.report.vms[0].apicv.map(\.inhibits) == [["bit 2"], ["bit 7"], []])
    }

    @Test(arguments: [(3, 0x8), (6, 0x40)]) func `what may be BLOCKIRQ excuses as BLOCKIRQ does`(
        _ bit: Int32, _ mask: UInt64
    ) {
        var trace = Trace()
        trace.info.kernel = Self.rhel
        trace.exitOfL1()
        trace.resumeL2()
        trace.inhibit(reason: bit, set: true, mask: mask)
        trace.accept(0x41)
        for _ in 0..<30 {
            trace.exitOfL2()
            trace.enter()
            trace.after(ms: 10)
        }
        trace.exitOfL2()
        trace.enter()
        #expect(trace.outcome().finding(.lostAccept) == nil)
        trace.info.kernel = "5.19.0"
        // There bit 6 is NESTED.
        #expect((trace.outcome().finding(.lostAccept) == nil) == (bit == 3))
    }

    @Test(arguments: [
        ("6.1.0-55-amd64", 6, 1), ("Linux host 5.10.223 x86_64", 5, 10),
        ("Linux 10.0.0.7 6.12.107+deb13 x86_64", 6, 12),
        ("7.2-rc1", 7, 2),
    ])
    func `a release is found, whatever the host is called`(_ uname: String, _ major: Int, _ minor: Int) {
        #expect(KernelRelease(uname: uname) == KernelRelease(major, minor))
    }

    @Test(arguments: ["", "Linux", "x.y.z", "99999999999999999999.1"])
    func `a line without a release has none`(_ uname: String) {
        #expect(KernelRelease(uname: uname) == nil)
    }
}
