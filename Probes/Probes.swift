// SPDX-License-Identifier: Apache-2.0

/// The compiled BPF object, as the build embeds it.
public enum Probes {
    /// Lends the object's bytes, 8-byte aligned as libbpf's reader wants them.
    public static func withObject<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try words.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<byteCount])) }
    }
}
