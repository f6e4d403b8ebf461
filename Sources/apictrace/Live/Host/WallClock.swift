// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// Unix time, which monitoring counts in.
enum WallClock {
    /// In nanoseconds.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
