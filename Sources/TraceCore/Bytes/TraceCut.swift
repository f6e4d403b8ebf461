// SPDX-License-Identifier: Apache-2.0

/// A place of a file that can't be read or makes no sense, and what should have been there.
public struct TraceCut: Error, Equatable, Sendable {
    public var offset: UInt64
    public var expected: String

    public init(offset: UInt64, expected: String) {
        self.offset = offset
        self.expected = expected
    }
}
