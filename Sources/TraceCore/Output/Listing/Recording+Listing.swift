// SPDX-License-Identifier: Apache-2.0

extension Recording {
    /// As for any sink, and fast from another module too.
    public mutating func read(
        into listing: inout EventListing, progress: ((_ read: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws(InputError) -> TraceTotals {
        try readAll(into: &listing, threads: 1, progress: progress)
    }
}
