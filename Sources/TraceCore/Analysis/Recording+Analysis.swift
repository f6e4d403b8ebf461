// SPDX-License-Identifier: Apache-2.0

extension Recording {
    /// As for any sink, and fast from another module too.
    public mutating func read(
        into analysis: inout Analysis, threads: Int = 1, progress: ((_ read: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws(InputError) -> TraceTotals {
        try readAll(into: &analysis, threads: threads, progress: progress)
    }
}
