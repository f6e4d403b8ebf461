// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// The compiled BPF object, as the build embeds it.
public enum Probes {
    /// Lends the object's bytes, aligned to 8 as libelf wants them.
    public static func withObject<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let decoded = encoded.withUTF8Buffer { Data(base64Encoded: Data(buffer: $0)) } ?? Data()
        let object = UnsafeMutableRawBufferPointer.allocate(byteCount: decoded.count, alignment: 8)
        defer { object.deallocate() }
        decoded.copyBytes(to: object)
        return try body(UnsafeRawBufferPointer(object))
    }
}
