// SPDX-License-Identifier: Apache-2.0

/// Facts as the values of a record, in the order of ``OwnEvent/fields``, and back.
extension LiveFact {
    var event: OwnEvent {
        switch self {
        case .state: .state
        case .lapic: .lapic
        case .ended: .ended
        case .process: .process
        case .tick: .tick
        case .exits: .exits
        case .command: .command
        }
    }

    var values: [UInt64] {
        switch self {
        case .state(let state): state.values
        case .lapic(let reading): reading.values
        case .ended(let process): [process.word]
        case .process(let process): [process.word]
        case .command(let command): command.text.words(Comm.length)
        case .tick: []
        case .exits(let reason, let count): [reason.isa.recorded.word, reason.code.word, count]
        }
    }

    /// Nil for events that are no facts of a moment.
    init?(_ event: OwnEvent, _ values: [UInt64]) {
        guard values.count == event.fields.reduce(0, { $0 + $1.count }) else { return nil }
        switch event {
        case .state: self = .state(VCPUState(values))
        case .lapic: self = .lapic(LAPICReading(values))
        case .ended: self = .ended(process: Int32(truncatingIfNeeded: values[0]))
        case .process: self = .process(Int32(truncatingIfNeeded: values[0]))
        case .tick: self = .tick
        case .command: self = .command(Comm(String(words: values)))
        case .exits:
            let isa = ISA(recorded: UInt32(truncatingIfNeeded: values[0]))
            self = .exits(ExitReason(isa: isa, recorded: UInt32(truncatingIfNeeded: values[1])), count: values[2])
        case .counts, .host, .lost, .cut, .leftOut: return nil
        }
    }
}

extension VCPUState {
    fileprivate var values: [UInt64] {
        [
            vm, process.word, vcpu.word, inhibits, isAPICvActive.word,
            isGuestMode.word, hasLAPIC.word, (vmx != nil).word, vmx?.deliversVirtualInterrupts.word ?? 0,
            vmx?.l1InterceptsInterrupts.word ?? 0, vmx?.l1DeliversVirtualInterrupts.word ?? 0,
            isFirstRun.word,
        ]
    }

    fileprivate init(_ values: [UInt64]) {
        self.init(
            vm: values[0], process: Int32(truncatingIfNeeded: values[1]), vcpu: Int32(truncatingIfNeeded: values[2]),
            inhibits: values[3], isAPICvActive: values[4] != 0, isGuestMode: values[5] != 0, hasLAPIC: values[6] != 0,
            vmx: values[7] == 0
                ? nil
                : VMXChoices(
                    deliversVirtualInterrupts: values[8] != 0, l1InterceptsInterrupts: values[9] != 0,
                    l1DeliversVirtualInterrupts: values[10] != 0))
        isFirstRun = values[11] != 0
    }
}

extension LAPICReading {
    fileprivate var values: [UInt64] {
        let (number, pending): (UInt64, Pending) =
            switch occasion {
            case .l1Exit: (0, [])
            case .l2Entry(let pending): (1, pending)
            case .exit: (2, [])
            case .asleep: (3, [])
            }
        return [
            vcpu.word, number, pending.rawValue.word, words.tpr.word, words.ppr.word,
        ] + words.irr.registers.map(\.word) + words.isr.registers.map(\.word) + [
            Self.recorded(interruptFlag), Self.recorded(isAPICEnabled),
        ]
    }

    /// 0 where it isn't known.
    private static func recorded(_ answer: Bool?) -> UInt64 {
        switch answer {
        case nil: 0
        case false: 1
        case true: 2
        }
    }

    private static func answer(_ recorded: UInt64) -> Bool? { recorded == 0 ? nil : recorded == 2 }

    fileprivate init(_ values: [UInt64]) {
        let occasion: Occasion =
            switch values[1] {
            case 0: .l1Exit
            case 1: .l2Entry(Pending(rawValue: UInt16(truncatingIfNeeded: values[2])))
            case 3: .asleep
            default: .exit
            }
        self.init(
            vcpu: Int32(truncatingIfNeeded: values[0]), occasion: occasion,
            words: LAPICWords(
                irr: VectorSet(registers: values[5..<13].lazy.map { UInt32(truncatingIfNeeded: $0) }),
                isr: VectorSet(registers: values[13..<21].lazy.map { UInt32(truncatingIfNeeded: $0) }),
                tpr: UInt8(truncatingIfNeeded: values[3]), ppr: UInt8(truncatingIfNeeded: values[4])),
            interruptFlag: Self.answer(values[21]), isAPICEnabled: Self.answer(values[22]))
    }
}

extension String {
    /// As the values of an array of so many characters, the last of which is NUL.
    func words(_ count: Int) -> [UInt64] {
        let text = utf8.prefix(count - 1).map { UInt64($0) }
        return text + [UInt64](repeating: 0, count: count - text.count)
    }

    init(words: some Sequence<UInt64>) {
        self.init(decoding: words.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }
}
