// SPDX-License-Identifier: Apache-2.0

extension Recording {
    /// As into an analysis without a time line.
    public mutating func read(
        into analysis: inout WatchedAnalysis<Timeline>, threads: Int = 1,
        progress: ((_ read: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws(InputError) -> TraceTotals {
        try readAll(into: &analysis, threads: threads, progress: progress)
    }
}
