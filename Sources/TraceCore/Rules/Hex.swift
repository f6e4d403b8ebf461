// SPDX-License-Identifier: Apache-2.0

extension BinaryInteger {
    /// Lowercase with 0x, at least two digits: the form of vectors, masks and addresses in every report.
    var hex: String {
        let digits = String(self, radix: 16)
        return "0x" + (digits.count < 2 ? "0" : "") + digits
    }
}
