// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What a symbol list, whole or cut, tells of the fix.
@Suite struct KallsymsScanTests {
    private func scan(_ lines: String...) -> KernelSymbols? {
        var scan = KallsymsScan()
        scan.take(Array(lines.map { $0 + "\n" }.joined().utf8)[...])
        return scan.symbols
    }

    @Test func `the function itself, in a module or built in`() {
        let expected = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: true)
        #expect(scan("ffffffffc025f1e0 t kvm_apic_update_hwapic_isr\t[kvm]") == expected)
        #expect(scan("ffffffff8125f1e0 T kvm_apic_update_hwapic_isr") == expected)
    }

    @Test(arguments: ["__ksymtab_", "__kstrtab_"]) func `its export, where the list breaks off before the function`(
        _ prefix: String
    ) {
        let symbols = scan("ffffffffc0367655 r \(prefix)kvm_apic_update_hwapic_isr\t[kvm]")
        #expect(symbols == KernelSymbols(hasKVM: true, hasUpdateHwapicISR: true))
    }

    @Test func `its absence, where the function next to it is there`() {
        let symbols = scan("ffffffffc025e550 t kvm_apic_set_eoi_accelerated\t[kvm]")
        #expect(symbols == KernelSymbols(hasKVM: true, hasUpdateHwapicISR: false))
    }

    @Test func `nothing, where the list has other parts of kvm only`() {
        let symbols = scan("ffffffffc021ae80 t kvm_vcpu_ioctl\t[kvm]", "ffffffffc0398010 t svm_get_rflags\t[kvm_amd]")
        #expect(symbols == KernelSymbols(hasKVM: false, hasUpdateHwapicISR: false))
    }

    @Test func `a longer name is another function`() {
        #expect(scan("0 t kvm_apic_update_hwapic_isr_new\t[kvm]")?.hasUpdateHwapicISR == false)
    }
}
