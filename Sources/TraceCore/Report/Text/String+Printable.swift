// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Without control characters: a file's text must not command the reader's terminal.
    public var printable: String {
        var clean = UnicodeScalarView()
        for scalar in unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            clean.append(isControl ? "?" : scalar)
        }
        return String(clean)
    }
}
