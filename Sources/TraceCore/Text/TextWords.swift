// SPDX-License-Identifier: Apache-2.0

/// The words of an event's text, one after the other.
struct TextWords {
    private var place: Int
    private let end: Int
    private(set) var token: Range<Int>
    private(set) var key = TextVocabulary.Key()
    /// The byte behind the word, without blanks; 0 for none.
    private(set) var separator: UInt8 = 0

    init(_ text: Range<Int>) {
        place = text.lowerBound
        end = text.upperBound
        token = place..<place
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "|"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: byte.isSpace
        }
    }

    /// - Returns: whether there is another word.
    mutating func next(_ line: Span<UInt8>) -> Bool {
        while place < end, Self.isSeparator(line[place]) {
            if line[place] == UInt8(ascii: "<") { skipRemark(line) } else { place += 1 }
        }
        guard place < end else { return false }
        let start = place
        key = TextVocabulary.Key()
        while place < end, !Self.isSeparator(line[place]) {
            key.append(line[place])
            place += 1
        }
        token = start..<place
        var behind = place
        while behind < end, line[behind] == 0x20 { behind += 1 }
        separator = behind < end && Self.isSeparator(line[behind]) ? line[behind] : 0
        return true
    }

    /// `<CANT FIND FIELD rip>`: what libtraceevent says where the plugin looks for a field that the kernel doesn't have.
    private mutating func skipRemark(_ line: Span<UInt8>) {
        place = line.firstIndex(of: UInt8(ascii: ">"), from: place, to: end).map { $0 + 1 } ?? place + 1
    }

    /// The next word as a number; where it is none it is still the next.
    /// - Parameter radix: where `0x` doesn't tell.
    mutating func number(_ line: Span<UInt8>, radix: UInt64) -> UInt64? {
        let before = self
        guard next(line) else { return nil }
        if line[token.lowerBound] == UInt8(ascii: "'") {
            // `vec='Q'(81)`: tracefs' fields of one byte, as a letter first.
            place = min(token.lowerBound + 3, end)
            guard next(line) else { return nil }
        }
        guard let value = Self.value(line, token, radix) else {
            self = before
            return nil
        }
        return value
    }

    private static func value(_ line: Span<UInt8>, _ token: Range<Int>, _ radix: UInt64) -> UInt64? {
        var (index, radix) = (token.lowerBound, radix)
        let isNegative = line[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        if index + 2 < token.upperBound, line[index] == UInt8(ascii: "0"), line[index + 1] | 0x20 == UInt8(ascii: "x") {
            (index, radix) = (index + 2, 16)
        }
        guard index < token.upperBound, token.upperBound - index <= 20 else { return nil }
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
            index += 1
        }
        return isNegative ? 0 &- value : value
    }
}
