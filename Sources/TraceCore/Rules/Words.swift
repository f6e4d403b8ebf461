// SPDX-License-Identifier: Apache-2.0

// How statements say numbers and lists.

extension UInt64 {
    /// `once`, `400 times`.
    var times: String { self == 1 ? "once" : "\(self) times" }
}

extension [String] {
    /// `a`, `a and b`, `a, b and c`.
    var listed: String {
        guard let last, count > 1 else { return first ?? "" }
        return dropLast().joined(separator: ", ") + " and " + last
    }
}

extension [UInt8] {
    /// Vectors: `0x41 and 0x51`.
    var listed: String { map(\.hex).listed }
}
