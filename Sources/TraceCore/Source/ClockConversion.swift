// SPDX-License-Identifier: Apache-2.0

/// Takes a record's raw stamp to the trace's time: cycles to nanoseconds where the file says how, then the file's offset.
///
/// The same steps as trace-cmd's timestamp_calc() (lib/trace-cmd/trace-input.c, 3.4), which likewise leaves out the offset
/// stored with TSC2NSEC; without its correction of a guest's clock by the host's, which needs both files.
struct ClockConversion: Equatable {
    /// 0 where stamps stay in the clock's unit.
    var multiplier: UInt32 = 0
    var shift: UInt32 = 0
    /// The sum of DATE and OFFSET, in nanoseconds.
    var offset: Int64 = 0

    func time(_ raw: UInt64) -> UInt64 {
        (multiplier == 0 ? raw : nanoseconds(raw)) &+ UInt64(bitPattern: offset)
    }

    func nanoseconds(_ cycles: UInt64) -> UInt64 {
        let product = cycles.multipliedFullWidth(by: UInt64(multiplier))
        // The operands need no check: a shift by a word's width or more gives 0, one by less than 0 goes the other way.
        return product.low >> UInt64(shift) | product.high << (64 - Int64(shift))
    }
}
