// SPDX-License-Identifier: Apache-2.0

/// Makes events of their texts.
struct EventTextReader {
    private let vocabulary = TextVocabulary()
    private let exits = ExitWords()
    private let registers: WordTable
    private let offsets: [UInt64]
    /// Of a reason that has a number and no name; an exit that the text names tells it.
    private(set) var isa = ISA.unknown

    /// What a text was found to hold.
    struct Reading {
        /// Nil where the text lacks what the event can't do without.
        var event: KVMEvent?
        /// How many fields were found; a text that goes on in the next line has more with that.
        var fields = 0
        /// Nothing is missing that the next line might hold.
        var isComplete = false
    }

    init() {
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
        registers = WordTable(names)
        self.offsets = offsets
    }

    mutating func read(_ kind: EventKind, _ line: Span<UInt8>, _ text: Range<Int>, inHardIRQ: Bool) -> Reading {
        var fields = TextFields()
        fields.inHardIRQ = inHardIRQ
        var words = TextWords(text)
        while words.next(line) {
            guard let meaning = vocabulary.meaning(line, words, of: kind) else { continue }
            take(meaning, kind, &fields, &words, line)
            if fields.count == vocabulary.fieldCounts[Int(kind.rawValue)] { break }
        }
        let found = fields.count
        let isComplete = complete(kind, &fields)
        var visitor = fields
        let event = KVMEvent(kind, &visitor)
        return Reading(event: visitor.isWhole ? event : nil, fields: found, isComplete: isComplete && visitor.isWhole)
    }

    /// Whether a text begins with a word that such an event has.
    func beginsWithWord(of kind: EventKind, _ line: Span<UInt8>, _ text: Range<Int>) -> Bool {
        var words = TextWords(text)
        guard words.next(line) else { return false }
        return vocabulary.meaning(line, words, of: kind) != nil
    }

    private mutating func take(
        _ meaning: TextVocabulary.Meaning, _ kind: EventKind, _ fields: inout TextFields, _ words: inout TextWords,
        _ line: Span<UInt8>
    ) {
        switch meaning {
        case .number(let field, let radix):
            if let value = words.number(line, radix: radix) { fields.set(field, value) }
        case .pair(let first, let second):
            if let value = words.number(line, radix: 16) { fields.set(first, value) }
            if let value = words.number(line, radix: 16) { fields.set(second, value) }
        case .pairOfNames(let first, let second):
            guard words.separator(line) == UInt8(ascii: ":"), words.next(line) else { return }
            take(.pair(first, second), kind, &fields, &words, line)
        case .value(let field, let value): fields.set(field, value)
        case .bits(let field, let bits): fields.add(field, bits: bits)
        case .vector(let field):
            if let value = words.number(line, radix: 10), value <= 0xff { fields.add(field, bits: value) }
        case .exitReason(let field, let isa): exitReason(field, isa, &fields, &words, line)
        case .userspaceReason(let field): userspaceReason(field, &fields, &words, line)
        case .access(let isWrite):
            fields.set(0, isWrite)
            if let register = accessed(kind, &words, line) { fields.set(1, register) }
            if let value = words.number(line, radix: 16) { fields.set(2, value) }
        case .injected(let soft):
            guard let vector = words.number(line, radix: 16) else { return }
            fields.set(0, vector)
            fields.set(1, soft)
        }
    }

    private mutating func exitReason(
        _ field: Int, _ isaField: Int, _ fields: inout TextFields, _ words: inout TextWords, _ line: Span<UInt8>
    ) {
        let before = words
        guard words.next(line) else { return }
        if let reason = exits.reason(line, words.token) {
            fields.set(field, UInt64(reason.code))
            fields.set(isaField, UInt64(reason.isa.recorded))
            isa = reason.isa
        } else {
            // `UNKNOWN (53)` of the plugin, `0x8f` of the kernel.
            if line.hasPrefix("UNKNOWN", at: words.token.lowerBound) {} else { words = before }
            guard isa != .unknown, let code = words.number(line, radix: 10) else { return }
            fields.set(field, code)
            fields.set(isaField, UInt64(isa.recorded))
        }
    }

    /// The number behind the name. Where a signal or an error ended it, that is another one: KVM_EXIT_INTR is what a signal leaves.
    private func userspaceReason(
        _ field: Int, _ fields: inout TextFields, _ words: inout TextWords, _ line: Span<UInt8>
    ) {
        guard words.next(line) else { return }
        if line.hasPrefix("restart", at: words.token.lowerBound) { return fields.set(field, 10) }
        guard line.hasPrefix("KVM_EXIT_", at: words.token.lowerBound) else { return }
        if let value = words.number(line, radix: 10) { fields.set(field, value) }
    }

    private func accessed(_ kind: EventKind, _ words: inout TextWords, _ line: Span<UInt8>) -> UInt64? {
        guard kind == .apic else { return words.number(line, radix: 16) }
        let before = words
        guard words.next(line) else { return nil }
        if let index = registers.index(line, words.token) { return offsets[index] }
        words = before
        return words.number(line, radix: 16)
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
