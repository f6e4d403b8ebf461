// SPDX-License-Identifier: Apache-2.0

/// The byte order of the machine that was traced.
public enum ByteOrder: Sendable {
    case little, big

    /// What the bytes of `raw`, loaded as they lie in memory, mean.
    @inline(__always)
    func value<T: FixedWidthInteger>(_ raw: T) -> T {
        self == .little ? T(littleEndian: raw) : T(bigEndian: raw)
    }
}
