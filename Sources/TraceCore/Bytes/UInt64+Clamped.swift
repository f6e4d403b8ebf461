// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
    /// For offsets and sizes as files claim them.
    func addingClamped(_ other: UInt64) -> UInt64 {
        let sum = addingReportingOverflow(other)
        return sum.overflow ? .max : sum.partialValue
    }
}
