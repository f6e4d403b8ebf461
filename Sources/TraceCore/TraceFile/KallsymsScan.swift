// SPDX-License-Identifier: Apache-2.0

/// Looks for the few symbols that matter in a kernel's symbol list, which is never held as a whole.
///
/// Lines are `address type name`, followed by a tab and `[module]` for a module's.
struct KallsymsScan {
    private static let fix = Array("kvm_apic_update_hwapic_isr".utf8)
    /// Exported from the same file (arch/x86/kvm/lapic.c, 5.4 to 7.3): where it is listed, the fix would be too. Recorders
    /// cut the list short, so that some symbols of the module prove nothing.
    private static let neighbour = Array("kvm_apic_set_eoi_accelerated".utf8)
    private static let exported = Array("__ksymtab_".utf8)
    private static let newline = UInt8(ascii: "\n")

    private var lines = 0
    private var found = KernelSymbols(hasKVM: false, hasUpdateHwapicISR: false)
    /// A line whose end is in the next piece.
    private var rest: [UInt8] = []

    /// What was found; nil where there were no symbols at all.
    var symbols: KernelSymbols? {
        var last = self
        last.line(rest[...])
        return last.lines == 0 ? nil : last.found
    }

    mutating func take(_ text: ArraySlice<UInt8>) {
        var text = text
        if !rest.isEmpty {
            guard let end = text.firstIndex(of: Self.newline) else {
                // No line of a symbol list is this long.
                if rest.count < 1 << 16 { rest += text }
                return
            }
            rest += text[..<end]
            line(rest[...])
            rest = []
            text = text[(end + 1)...]
        }
        while let end = text.firstIndex(of: Self.newline) {
            line(text[..<end])
            text = text[(end + 1)...]
        }
        rest = Array(text)
    }

    private mutating func line(_ line: ArraySlice<UInt8>) {
        guard !line.isEmpty else { return }
        lines += 1
        let blank = UInt8(ascii: " ")
        guard let address = line.firstIndex(of: blank),
            let type = line[(address + 1)...].firstIndex(of: blank),
            let first = line[type...].dropFirst().first, first == Self.fix.first || first == Self.exported.first
        else { return }
        var name = line[(type + 1)...].prefix { $0 != UInt8(ascii: "\t") }
        if name.starts(with: Self.exported) { name = name.dropFirst(Self.exported.count) }
        if name.elementsEqual(Self.fix) { found = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: true) }
        if name.elementsEqual(Self.neighbour) { found.hasKVM = true }
    }
}
