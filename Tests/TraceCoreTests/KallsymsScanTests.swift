// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct KallsymsScanTests {
    @Test(arguments: [
        ("ffffffff81000000 T _text\n", KernelSymbols(hasKVM: false, hasUpdateHwapicISR: false)),
        ("ffffffff81000000 T kvm_apic_set_eoi_accelerated\n", .init(hasKVM: true, hasUpdateHwapicISR: false)),
        ("0 r __ksymtab_kvm_apic_set_eoi_accelerated\t[kvm]\n", .init(hasKVM: false, hasUpdateHwapicISR: false)),
        ("0 t kvm_vcpu_ioctl\t[kvm]\n0 t foo\t[kvm_intel]\n", .init(hasKVM: false, hasUpdateHwapicISR: false)),
        ("0 t foo\t[kvm]\n0 T kvm_apic_update_hwapic_isr\t[kvm]", .init(hasKVM: true, hasUpdateHwapicISR: true)),
        ("0 r __ksymtab_kvm_apic_update_hwapic_isr\t[kvm]\n", .init(hasKVM: true, hasUpdateHwapicISR: true)),
        ("0 t __pfx_kvm_apic_update_hwapic_isr\t[kvm]\n", .init(hasKVM: false, hasUpdateHwapicISR: false)),
    ])
    func `the symbols that matter are found`(text: String, symbols: KernelSymbols) {
        for size in [1, 7, 1000] {
            var scan = KallsymsScan()
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                scan.take(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(scan.symbols == symbols)
        }
    }

    @Test func `an empty list tells nothing`() {
        #expect(KallsymsScan().symbols == nil)
    }
}
