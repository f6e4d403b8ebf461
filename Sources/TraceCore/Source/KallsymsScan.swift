// SPDX-License-Identifier: Apache-2.0

/// Looks for the few symbols that matter in a kernel's symbol list, which is never held as a whole.
///
/// Lines are `address type name`, followed by a tab and `[module]` for a module's.
struct KallsymsScan {
    private static let fix = Array("kvm_apic_update_hwapic_isr".utf8)
    /// Exported symbols leave their name in these too, which a list that breaks off may still have.
    private static let exports = ["__ksymtab_", "__kstrtab_"].map { Array($0.utf8) }
    /// A function of the same file (arch/x86/kvm/lapic.c) that KVM has had since 3.9. Without it the list lacks that part
    /// of KVM, and the absence of the other means nothing.
    static let neighbourName = "kvm_apic_set_eoi_accelerated"
    private static let neighbour = Array(neighbourName.utf8)
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
            let first = line[type...].dropFirst().first, first == Self.fix.first || first == UInt8(ascii: "_")
        else { return }
        var name = line[(type + 1)...].prefix { $0 != UInt8(ascii: "\t") }
        if name.elementsEqual(Self.neighbour) { found.hasKVM = true }
        if let prefix = Self.exports.first(where: { name.starts(with: $0) }) { name = name.dropFirst(prefix.count) }
        if name.elementsEqual(Self.fix) { (found.hasKVM, found.hasUpdateHwapicISR) = (true, true) }
    }
}
