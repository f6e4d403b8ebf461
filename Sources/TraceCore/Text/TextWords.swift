// SPDX-License-Identifier: Apache-2.0

/// The words of an event's text, one after the other.
struct TextWords {
    private var place: Int
    private let end: Int
    private(set) var token: Range<Int>
    /// Of the number that is the word at hand, without `0x` in front.
    private(set) var digits = 0..<0

    init(_ text: Range<Int>) {
        place = text.lowerBound
        end = text.upperBound
        token = place..<place
    }

    /// - Returns: whether there is another word.
    @inline(__always)
    mutating func next(_ line: Span<UInt8>) -> Bool {
        while place < end, line[place].isSeparator {
            if line[place] == UInt8(ascii: "<") { skipRemark(line) } else { place &+= 1 }
        }
        guard place < end else { return false }
        let start = place
        while place < end, !line[place].isSeparator { place &+= 1 }
        token = start..<place
        return true
    }

    /// The byte behind the word, without blanks; 0 for none, and for another word.
    func separator(_ line: Span<UInt8>) -> UInt8 {
        var behind = token.upperBound
        while behind < end, line[behind] == 0x20 { behind &+= 1 }
        return behind < end && line[behind].isSeparator ? line[behind] : 0
    }

    func isBeforeBlank(_ line: Span<UInt8>) -> Bool { token.upperBound < end && line[token.upperBound] == 0x20 }

    /// `<CANT FIND FIELD rip>`: what libtraceevent says where the plugin looks for a field that the kernel doesn't have.
    private mutating func skipRemark(_ line: Span<UInt8>) {
        place = line.firstIndex(of: UInt8(ascii: ">"), from: place, to: end).map { $0 + 1 } ?? place + 1
    }

    /// The next word as a number; where it is none it is still the next.
    /// - Parameter radix: where `0x` doesn't tell.
    mutating func number(_ line: Span<UInt8>, radix: UInt64) -> UInt64? {
        var index = place
        while index < end, line[index].isSeparator {
            if line[index] == UInt8(ascii: "<") { return nil }
            index &+= 1
        }
        // `vec='Q'(81)`: tracefs' fields of one byte, as a letter first.
        if index &+ 4 < end, line[index] == UInt8(ascii: "'"), line[index &+ 2] == UInt8(ascii: "'") { index &+= 4 }
        let start = index
        let isNegative = index < end && line[index] == UInt8(ascii: "-")
        if isNegative { index &+= 1 }
        var radix = radix
        if index &+ 2 < end, line[index] == UInt8(ascii: "0"), line[index &+ 1] | 0x20 == UInt8(ascii: "x") {
            (index, radix) = (index &+ 2, 16)
        }
        let first = index
        guard let value = Self.digits(line, &index, to: end, radix) else { return nil }
        if index < end, !line[index].isSeparator {
            // A text in a program's string goes on with `\n` or a quote.
            guard line[index] == UInt8(ascii: "\\") || line[index] == UInt8(ascii: "\"") else { return nil }
        }
        (place, token, digits) = (index, start..<index, first..<index)
        return isNegative ? 0 &- value : value
    }

    /// The digits from a place on, which goes behind them; nil for none, and for more than a word has.
    @inline(__always)
    private static func digits(_ line: Span<UInt8>, _ index: inout Int, to end: Int, _ radix: UInt64) -> UInt64? {
        let start = index
        var value: UInt64 = 0
        // The kernel pads with zeros: sixteen digits are two steps.
        while radix == 16, index &+ 8 <= end {
            let eight = HexDigits(line, at: index)
            guard eight.count == 8 else { break }
            guard value >> 32 == 0 else { return nil }
            value = value &<< 32 | eight.value
            index &+= 8
        }
        while index < end, let digit = line[index].hexDigit, UInt64(digit) < radix {
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
            index &+= 1
        }
        return index > start ? value : nil
    }
}

extension UInt8 {
    /// What parts the words of an event's text: blanks and `,:=()|<>[]`.
    @inline(__always)
    var isSeparator: Bool { isAmong(0x7400_1301_0000_3e00, 0x1000_0000_2800_0000) }
}
