// SPDX-License-Identifier: Apache-2.0

/// How events' texts were laid out on the lines before: which bytes each such line has, and where the numbers between them are.
///
/// Most lines differ from another of their kind in numbers alone. Bytes that are the same mean the same, so that only the numbers have
/// to be read. What is laid out in another way ``EventTextReader`` reads word by word, and it is remembered here.
struct TextLayouts {
    /// Bytes that each line has, and what is behind them.
    private struct Piece {
        /// Of the bytes, those in the last word that count.
        var mask: UInt64 = 0
        var length: UInt8 = .max
        var part = TextTrail.Part.end
        var field: UInt8 = 0
        var isaField: UInt8 = 0
    }

    /// The latest of each kind of event are kept.
    private static let each = 4
    private static let mostPieces = 11
    private static let mostWords = 24
    /// More than any layout takes with its numbers.
    private static let room = 1024
    /// A name or a number of no meaning is no longer.
    private static let longestWord = 32

    /// What the words tell that are literally there, by layout.
    private var fields: [TextFields] = []
    private var pieces: [Piece] = []
    private var words: [UInt64] = []
    /// By kind: where its layouts begin, -1 where it has none yet, and which is replaced next.
    private var starts = [Int](repeating: -1, count: EventKind.allCases.count)
    private var turns = [Int](repeating: 0, count: EventKind.allCases.count)

    /// Reads the fields of a text that is laid out like one before it.
    /// - Returns: whether it is; if not nothing is told of the fields.
    @inline(__always)
    func read(
        _ kind: EventKind, _ line: Span<UInt8>, _ text: Range<Int>, _ exits: ExitWords, _ fields: inout TextFields,
        _ isa: inout ISA
    ) -> Bool {
        let start = starts[Int(kind.rawValue)]
        guard start >= 0, text.lowerBound &+ Self.room <= line.count else { return false }
        for layout in start..<start &+ Self.each {
            if read(layout, line, text, exits, &fields, &isa) { return true }
        }
        return false
    }

    private func read(
        _ layout: Int, _ line: Span<UInt8>, _ text: Range<Int>, _ exits: ExitWords, _ fields: inout TextFields,
        _ isa: inout ISA
    ) -> Bool {
        var (place, piece, word) = (text.lowerBound, layout &* Self.mostPieces, layout &* Self.mostWords)
        guard isThere(pieces[piece], line, &place, &word) else { return false }
        fields = self.fields[layout]
        while true {
            let now = pieces[piece]
            switch now.part {
            case .hexadecimal:
                let digits = HexDigits(line, at: place)
                guard digits.count > 0 else { return false }
                var value = digits.value
                place &+= digits.count
                if digits.count == 8 {
                    let more = HexDigits(line, at: place)
                    value = value &<< UInt64(truncatingIfNeeded: more.count &* 4) | more.value
                    place &+= more.count
                }
                fields.merge(Int(now.field), value)
            case .decimal, .vector:
                let digits = DecimalDigits(line, at: place)
                // Longer ones are rare.
                guard digits.count > 0, digits.count < 8, now.part == .decimal || digits.value <= 0xff else {
                    return false
                }
                place &+= digits.count
                fields.merge(Int(now.field), digits.value)
            case .reason:
                guard
                    let end = line.firstIndex(of: 0x20, from: place, to: place &+ Self.longestWord),
                    let reason = exits.reason(line, place..<end)
                else { return false }
                isa = reason.isa
                fields.merge(Int(now.field), UInt64(reason.code))
                fields.merge(Int(now.isaField), UInt64(reason.isa.recorded))
                place = end
            case .ignored:
                let end = place &+ Self.longestWord
                guard line[place].isDigit else { return false }
                while place < end, !line[place].isSeparator { place &+= 1 }
            case .rest:
                return place == text.upperBound || place < text.upperBound && line[place].isSeparator
            case .end: return place == text.upperBound
            }
            piece &+= 1
            guard isThere(pieces[piece], line, &place, &word) else { return false }
        }
    }

    /// Whether the bytes in front of a number are there, which are passed over.
    @inline(__always)
    private func isThere(_ piece: Piece, _ line: Span<UInt8>, _ place: inout Int, _ word: inout Int) -> Bool {
        var (left, different) = (Int(piece.length), UInt64(0))
        while left >= 8 {
            different |= line.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self) ^ words[word]
            (place, word, left) = (place &+ 8, word &+ 1, left &- 8)
            if different != 0 { return false }
        }
        let last = line.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self) ^ words[word]
        (place, word) = (place &+ left, word &+ 1)
        return different | last & piece.mask == 0
    }

    // MARK: - What is remembered

    /// - Parameters:
    ///   - isRest: what comes behind the last number was of no use.
    ///   - all: what the text told.
    @inline(never)
    mutating func remember(
        _ kind: EventKind, _ line: Span<UInt8>, _ text: Range<Int>, _ trail: TextTrail, isRest: Bool, _ all: TextFields
    ) {
        var (pieces, words) = (InlineArray<11, Piece>(repeating: Piece()), InlineArray<24, UInt64>(repeating: 0))
        var fields = all
        var (place, used) = (text.lowerBound, 0)
        for index in 0...trail.count {
            var step = TextTrail.Step(part: .end, range: text.upperBound..<text.upperBound)
            if index < trail.count {
                step = trail.steps[index]
                if step.part != .ignored { fields.remove(Int(step.field), step.value) }
                if step.part == .reason { fields.remove(Int(step.isaField), .max) }
            } else if isRest {
                step = TextTrail.Step(part: .rest, range: place..<place)
            }
            let length = step.range.lowerBound - place
            guard length >= 0, length < 200, used + length / 8 < Self.mostWords else { return }
            for offset in 0..<length {
                let byte = line[place + offset]
                if byte == Span<UInt8>.lineFeed { return }
                words[used + offset / 8] |= UInt64(byte) << UInt64(offset % 8 * 8)
            }
            pieces[index] = Piece(
                mask: (1 << UInt64(length % 8 * 8)) - 1, length: UInt8(length), part: step.part, field: step.field,
                isaField: step.isaField)
            (place, used) = (step.range.upperBound, used + length / 8 + 1)
        }
        let layout = self.layout(kind)
        self.fields[layout] = fields
        for index in pieces.indices { self.pieces[layout * Self.mostPieces + index] = pieces[index] }
        for index in words.indices { self.words[layout * Self.mostWords + index] = words[index] }
    }

    /// The kind's next to be replaced.
    private mutating func layout(_ kind: EventKind) -> Int {
        let kind = Int(kind.rawValue)
        if starts[kind] < 0 {
            starts[kind] = fields.count
            fields += [TextFields](repeating: TextFields(), count: Self.each)
            pieces += [Piece](repeating: Piece(), count: Self.each * Self.mostPieces)
            words += [UInt64](repeating: 0, count: Self.each * Self.mostWords)
        }
        defer { turns[kind] = (turns[kind] + 1) % Self.each }
        return starts[kind] + turns[kind]
    }
}
