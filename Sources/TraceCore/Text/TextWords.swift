// SPDX-License-Identifier: Apache-2.0

/// The words of an event's text, one after the other.
struct TextWords {
    private var place: Int
    private let end: Int
    private(set) var token: Range<Int>

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

    /// `<CANT FIND FIELD rip>`: what libtraceevent says where the plugin looks for a field that the kernel doesn't have.
    private mutating func skipRemark(_ line: Span<UInt8>) {
        place = line.firstIndex(of: UInt8(ascii: ">"), from: place, to: end).map { $0 + 1 } ?? place + 1
    }

    /// The next word as a number; where it is none it is still the next.
    /// - Parameter radix: where `0x` doesn't tell.
    mutating func number(_ line: Span<UInt8>, radix: UInt64) -> UInt64? {
        let before = (place, token)
        guard next(line) else { return nil }
        if line[token.lowerBound] == UInt8(ascii: "'") {
            // `vec='Q'(81)`: tracefs' fields of one byte, as a letter first.
            place = min(token.lowerBound + 3, end)
            guard next(line) else { return nil }
        }
        guard let value = Self.value(line, token, radix) else {
            (place, token) = before
            return nil
        }
        return value
    }

    private static func value(_ line: Span<UInt8>, _ token: Range<Int>, _ radix: UInt64) -> UInt64? {
        var (index, radix) = (token.lowerBound, radix)
        let isNegative = line[index] == UInt8(ascii: "-")
        if isNegative { index &+= 1 }
        if index &+ 2 < token.upperBound, line[index] == UInt8(ascii: "0"), line[index &+ 1] | 0x20 == UInt8(ascii: "x") {
            (index, radix) = (index &+ 2, 16)
        }
        let digits = token.upperBound &- index
        guard digits > 0, digits <= 20 else { return nil }
        var value: UInt64 = 0
        while index < token.upperBound {
            guard let digit = line[index].hexDigit, digit < radix else {
                // A text in a program's string goes on with `\n` or a quote.
                guard line[index] == UInt8(ascii: "\\") || line[index] == UInt8(ascii: "\""), index > token.lowerBound else {
                    return nil
                }
                break
            }
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
            index &+= 1
        }
        return isNegative ? 0 &- value : value
    }
}

extension UInt8 {
    /// What parts the words of an event's text: blanks and `,:=()|<>[]`.
    @inline(__always)
    fileprivate var isSeparator: Bool {
        // A bit for each, since a text is looked at byte by byte.
        let low: UInt64 = 0x7400_1301_0000_3e00
        let high: UInt64 = 0x1000_0000_2800_0000
        if self < 64 { return low &>> UInt64(self) & 1 != 0 }
        return self < 128 ? high &>> UInt64(self &- 64) & 1 != 0 : isSpace
    }
}
