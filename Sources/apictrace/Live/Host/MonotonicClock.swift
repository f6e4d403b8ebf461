// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// CLOCK_MONOTONIC, which stamps the probes' records and, under the name `mono`, ftrace's.
enum MonotonicClock {
    /// In nanoseconds.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
