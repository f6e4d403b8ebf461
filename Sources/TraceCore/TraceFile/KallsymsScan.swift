// SPDX-License-Identifier: Apache-2.0

/// Looks for the few symbols that matter in a kernel's symbol list, which is never held as a whole.
///
/// Lines are `address type name`, followed by a tab and `[module]` for a module's.
struct KallsymsScan {
    private static let fix = Array("kvm_apic_update_hwapic_isr".utf8)
    /// A function that KVM has had throughout, for kernels with KVM built in.
    private static let builtIn = Array("kvm_vcpu_ioctl".utf8)
    private static let module = Array("[kvm]".utf8)
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
        if line.last == Self.module.last, line.suffix(Self.module.count).elementsEqual(Self.module) {
            found.hasKVM = true
        }
        let blank = UInt8(ascii: " ")
        guard let address = line.firstIndex(of: blank),
            let type = line[(address + 1)...].firstIndex(of: blank),
            line[type...].dropFirst().first == Self.fix.first
        else { return }
        let name = line[(type + 1)...].prefix { $0 != UInt8(ascii: "\t") }
        if name.elementsEqual(Self.fix) { found.hasUpdateHwapicISR = true }
        if name.elementsEqual(Self.builtIn) { found.hasKVM = true }
    }
}
