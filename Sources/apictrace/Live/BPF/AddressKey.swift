// SPDX-License-Identifier: Apache-2.0

/// Hides kernel addresses in what leaves the process, as the kernel hides those that it prints with %p (lib/vsprintf.c): an
/// address becomes its SipHash-2-4 under a random key that is kept nowhere. Equal ones stay equal within a run.
struct AddressKey {
    private let key: (UInt64, UInt64)

    init() {
        var random = SystemRandomNumberGenerator()
        self.init(random.next(), random.next())
    }

    init(_ first: UInt64, _ second: UInt64) {
        key = (first, second)
    }

    func hidden(_ address: UInt64) -> UInt64 {
        var state = State(key)
        state.take(address)
        // The length in bytes, which the algorithm puts into the highest byte of its last word.
        state.take(8 << 56)
        state.v2 ^= 0xff
        for _ in 0..<4 { state.round() }
        return state.v0 ^ state.v1 ^ state.v2 ^ state.v3
    }

    /// The names and constants of "SipHash: a fast short-input PRF" (Aumasson, Bernstein).
    private struct State {
        var v0, v1, v2, v3: UInt64

        init(_ key: (UInt64, UInt64)) {
            v0 = key.0 ^ 0x736f_6d65_7073_6575
            v1 = key.1 ^ 0x646f_7261_6e64_6f6d
            v2 = key.0 ^ 0x6c79_6765_6e65_7261
            v3 = key.1 ^ 0x7465_6462_7974_6573
        }

        mutating func take(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        mutating func round() {
            v0 &+= v1
            v1 = v1.rotated(left: 13) ^ v0
            v0 = v0.rotated(left: 32)
            v2 &+= v3
            v3 = v3.rotated(left: 16) ^ v2
            v0 &+= v3
            v3 = v3.rotated(left: 21) ^ v0
            v2 &+= v1
            v1 = v1.rotated(left: 17) ^ v2
            v2 = v2.rotated(left: 32)
        }
    }
}

extension UInt64 {
    fileprivate func rotated(left bits: UInt64) -> UInt64 { self << bits | self >> (64 - bits) }
}
