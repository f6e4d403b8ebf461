// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// The inhibit bits of each kernel's own numbering (`enum kvm_apicv_inhibit`).
@Suite struct InhibitNamesTests {
    @Test(arguments: [
        ("5.10.223", 2, "NESTED"), ("5.15.0", 3, "IRQWIN"), ("5.10.0", 5, "X2APIC"), ("5.10.0", 6, "bit 6"),
        ("5.19.17", 3, "BLOCKIRQ"), ("5.19.17", 4, "APIC_ID_MODIFIED"), ("5.19.17", 9, "X2APIC"),
        ("5.19.17", 10, "SEV"),
        ("6.1.192", 4, "APIC_ID_MODIFIED"), ("6.1.192", 9, "SEV"), ("6.2.16", 6, "NESTED"),
        ("6.5.13", 4, "PHYSICAL_ID_ALIASED"), ("6.8.12", 9, "PIT_REINJ"), ("6.8.12", 0, "DISABLE"),
        ("6.8.12", 11, "LOGICAL_ID_ALIASED"), ("6.12.107", 0, "DISABLED"), ("6.14.11", 12, "bit 12"),
        ("6.17.13", 12, "PHYSICAL_ID_TOO_BIG"), ("7.3.4", 8, "IRQWIN"),
    ])
    func `a bit has the name that its kernel gives it`(_ kernel: String, _ bit: Int, _ name: String) {
        let names = InhibitNames(spelled: [], release: KernelRelease(uname: "Linux host \(kernel) x86_64"))
        #expect(names.name(bit: bit) == name)
    }

    @Test func `names that the format text spells go before any table`() {
        let names = InhibitNames(spelled: ["A", "B"], release: KernelRelease(5, 10))
        #expect(names.names(of: 0b111) == ["A", "B", "bit 2"])
    }

    @Test func `without kernel and spelling bits are numbers`() {
        let names = InhibitNames(spelled: [], release: nil)
        #expect(names.names(of: 1 << 63 | 1) == ["bit 0", "bit 63"])
        #expect(names.blockIRQ == nil)
    }

    @Test func `BLOCKIRQ has a bit from 5_18 on`() {
        #expect(InhibitNames(spelled: [], release: KernelRelease(5, 15)).blockIRQ == nil)
        #expect(InhibitNames(spelled: [], release: KernelRelease(6, 1)).blockIRQ == 0x8)
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
