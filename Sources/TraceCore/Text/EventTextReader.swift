// SPDX-License-Identifier: Apache-2.0

/// Makes events of their texts.
struct EventTextReader {
    let vocabulary = TextVocabulary.all
    private let exits = ExitWords.all
    private let registers = Registers.all
    private var layouts = TextLayouts()
    /// What was read of the text at hand.
    private var trail = TextTrail()
    /// Of a reason that has a number and no name; an exit that the text names tells it.
    private(set) var isa = ISA.unknown

    /// What the text at hand tells; nil where it lacks what the event can't do without.
    var event: KVMEvent?

    /// What a text was found to hold.
    struct Reading {
        /// How many fields were found; a text that goes on in the next line has more with that.
        var fields = 0
        /// Nothing is missing that the next line might hold.
        var isComplete = false
    }

    mutating func read(_ kind: EventKind, _ line: Span<UInt8>, _ text: Range<Int>, inHardIRQ: Bool) -> Reading {
        var fields = TextFields()
        if !layouts.read(kind, line, text, exits, &fields, &isa) { fields = readWords(kind, line, text) }
        fields.inHardIRQ = inHardIRQ
        let found = fields.count
        let isComplete = complete(kind, &fields)
        event = KVMEvent(kind, &fields)
        if !fields.isWhole { event = nil }
        return Reading(fields: found, isComplete: isComplete && fields.isWhole)
    }

    @inline(never)
    private mutating func readWords(_ kind: EventKind, _ line: Span<UInt8>, _ text: Range<Int>) -> TextFields {
        var fields = TextFields()
        var words = TextWords(text)
        trail = TextTrail()
        var isRest = false
        while words.next(line) {
            guard let meaning = vocabulary.meaning(line, words, of: kind) else {
                if line[words.token.lowerBound].isDigit { trail.add(.init(part: .ignored, range: words.token)) }
                continue
            }
            let steps = trail.count
            take(meaning, kind, &fields, &words, line)
            if fields.count == vocabulary.fieldCounts[Int(kind.rawValue)] {
                // A word's meaning may hang on what is behind it, a number's doesn't.
                isRest = trail.count > steps && trail.steps[trail.count - 1].range.upperBound == words.token.upperBound
                break
            }
        }
        if trail.isWhole { layouts.remember(kind, line, text, trail, isRest: isRest, fields) }
        return fields
    }

    private mutating func take(
        _ meaning: TextVocabulary.Meaning, _ kind: EventKind, _ fields: inout TextFields, _ words: inout TextWords,
        _ line: Span<UInt8>
    ) {
        switch meaning {
        case .number(let field, let radix): number(field, radix: radix, &fields, &words, line)
        case .pair(let first, let second):
            number(first, radix: 16, &fields, &words, line)
            number(second, radix: 16, &fields, &words, line)
        case .pairOfNames(let first, let second):
            guard words.separator(line) == UInt8(ascii: ":"), words.next(line) else { return }
            take(.pair(first, second), kind, &fields, &words, line)
        case .value(let field, let value): fields.set(field, value)
        case .bits(let field, let bits): fields.add(field, bits: bits)
        case .vector(let field):
            guard let value = words.number(line, radix: 10), value <= 0xff else { return trail.giveUp() }
            fields.add(field, bits: value)
            note(.vector, field, value, words, line)
        case .exitReason(let field, let isa): exitReason(field, isa, &fields, &words, line)
        case .userspaceReason(let field): userspaceReason(field, &fields, &words, line)
        case .access(let isWrite):
            fields.set(0, isWrite)
            if let register = register(kind, &words, line) {
                fields.set(1, register)
            } else {
                number(1, radix: 16, &fields, &words, line)
            }
            number(2, radix: 16, &fields, &words, line)
        case .injected(let soft):
            if number(0, radix: 16, &fields, &words, line) { fields.set(1, soft) }
        }
    }

    /// - Returns: whether there is one.
    @discardableResult
    private mutating func number(
        _ field: Int, radix: UInt64, _ fields: inout TextFields, _ words: inout TextWords, _ line: Span<UInt8>
    ) -> Bool {
        guard let value = words.number(line, radix: radix) else {
            trail.giveUp()
            return false
        }
        if fields.has(field) { trail.giveUp() }
        fields.set(field, value)
        note(radix == 16 ? .hexadecimal : .decimal, field, value, words, line)
        return true
    }

    private mutating func note(
        _ part: TextTrail.Part, _ field: Int, _ value: UInt64, _ words: TextWords, _ line: Span<UInt8>
    ) {
        if line[words.token.lowerBound] == UInt8(ascii: "-") { trail.giveUp() }
        var part = part
        if words.digits.lowerBound > words.token.lowerBound {
            if part == .vector { trail.giveUp() }
            part = .hexadecimal
        }
        trail.add(.init(part: part, field: UInt8(field), range: words.digits, value: value))
    }

    private mutating func exitReason(
        _ field: Int, _ isaField: Int, _ fields: inout TextFields, _ words: inout TextWords, _ line: Span<UInt8>
    ) {
        let before = words
        guard words.next(line) else { return }
        if let reason = exits.reason(line, words.token) {
            // A layout looks for the blank behind the name, and adds flags that have bit 31.
            if fields.has(field) || fields.has(isaField) || reason.code >> 31 != 0 || !words.isBeforeBlank(line) {
                trail.giveUp()
            }
            trail.add(
                .init(
                    part: .reason, field: UInt8(field), isaField: UInt8(isaField), range: words.token,
                    value: UInt64(reason.code)))
            fields.set(field, UInt64(reason.code))
            fields.set(isaField, UInt64(reason.isa.recorded))
            isa = reason.isa
        } else {
            // `UNKNOWN (53)` of the plugin, `0x8f` of the kernel.
            trail.giveUp()
            if line.hasPrefix("UNKNOWN", at: words.token.lowerBound) {} else { words = before }
            guard isa != .unknown, let code = words.number(line, radix: 10) else { return }
            fields.set(field, code)
            fields.set(isaField, UInt64(isa.recorded))
        }
    }

    /// The number behind the name. Where a signal or an error ended it, that is another one: KVM_EXIT_INTR is what a signal leaves.
    private mutating func userspaceReason(
        _ field: Int, _ fields: inout TextFields, _ words: inout TextWords, _ line: Span<UInt8>
    ) {
        guard words.next(line) else { return }
        if line.hasPrefix("restart", at: words.token.lowerBound) { return fields.set(field, 10) }
        guard line.hasPrefix("KVM_EXIT_", at: words.token.lowerBound) else { return }
        number(field, radix: 10, &fields, &words, line)
    }

    /// What is accessed, where it has a name; else the next word is still the next.
    private func register(_ kind: EventKind, _ words: inout TextWords, _ line: Span<UInt8>) -> UInt64? {
        guard kind == .apic else { return nil }
        let before = words
        if words.next(line), let offset = registers.offset(line, words.token) { return offset }
        words = before
        return nil
    }

    /// Sets what a text leaves out because it is not so, and what an event can do without.
    /// - Returns: whether all is there that a whole text has.
    private func complete(_ kind: EventKind, _ fields: inout TextFields) -> Bool {
        switch kind {
        case .entry: return fields.has(0)
        case .exit, .nestedVMExit:
            guard fields.has(0) else { return false }
            let isWhole = fields.has(3) && fields.has(4) && fields.has(5)
            let reason = ExitReason(
                isa: ISA(recorded: UInt32(truncatingIfNeeded: fields[1])),
                recorded: UInt32(truncatingIfNeeded: fields[0]))
            // Authors cut lines. Where an exit was is only shown, and of most reasons the rest tells nothing that is used.
            if reason.isPlain || fields.has(4) {
                for field in 3...5 { fields.set(field, 0) }
            }
            return isWhole
        case .nestedVMEnterFailed: fields.set(0, 0)
        case .msr: if fields.has(1), fields.has(2) { fields.set(3, 0) }
        case .injVIRQ: if fields.has(1) { fields.set(2, 0) }
        default: break
        }
        return true
    }
}

/// The names that KVM and libtraceevent's plugin give the local APIC's registers.
private struct Registers {
    static let all = Registers()
    private let table: WordTable
    private let offsets: [UInt64]

    private init() {
        var names: [String] = []
        var offsets: [UInt64] = []
        for index in 0..<APICRegister.count {
            let register = APICRegister(index: index)
            guard register == register.firstOfName, !register.name.hasPrefix("0x") else { continue }
            names.append("APIC_" + register.name)
            offsets.append(UInt64(register.offset))
        }
        // By the names of arch/x86/include/asm/apicdef.h.
        for (name, offset) in [("TASKPRI", 0x80), ("PROCPRI", 0xa0)] as [(String, UInt64)] {
            names.append("APIC_" + name)
            offsets.append(offset)
        }
        table = WordTable(names)
        self.offsets = offsets
    }

    func offset(_ line: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        table.index(line, range).map { offsets[$0] }
    }
}
