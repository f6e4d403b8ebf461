// SPDX-License-Identifier: Apache-2.0
import CBPF
import TraceCore

/// A record of the ring that is no event, decoded.
struct ProbeFact {
    /// Of a process, not of its thread, where the fact is a command.
    private(set) var stamp: EventStamp
    let fact: LiveFact
    /// The row of ``MappedExitCounts`` that the fact is about, from 1 on; 0 for none.
    private(set) var row: UInt32 = 0

    /// Decodes a record where it lies; nil for one whose length and kind don't agree, which no probe of ours writes.
    /// - Parameter key: hides the kernel's addresses.
    init?(_ header: probe_header, _ bytes: UnsafeRawBufferPointer, hiding key: AddressKey) {
        stamp = EventStamp(header)
        switch UInt32(header.kind) {
        case KIND_VCPU_STATE.rawValue:
            guard bytes.count >= MemoryLayout<probe_vcpu_state>.size else { return nil }
            let record = bytes.load(as: probe_vcpu_state.self)
            fact = .state(VCPUState(record, key))
            row = record.row
        case KIND_LAPIC_WORDS.rawValue:
            guard bytes.count >= MemoryLayout<probe_lapic_words>.size else { return nil }
            fact = .lapic(LAPICReading(bytes.load(as: probe_lapic_words.self)))
        case KIND_THREAD_END.rawValue:
            guard bytes.count >= MemoryLayout<probe_thread_end>.size else { return nil }
            let record = bytes.load(as: probe_thread_end.self)
            fact = .ended(process: Int32(bitPattern: record.process))
            row = record.row
        case KIND_COMMAND.rawValue:
            guard bytes.count >= MemoryLayout<probe_command>.size else { return nil }
            fact = .command(Comm(bytes[MemoryLayout<probe_header>.size..<MemoryLayout<probe_command>.size]))
            stamp.tid = Int32(bitPattern: header.tgid)
        default: return nil
        }
    }
}

extension VCPUState {
    fileprivate init(_ record: probe_vcpu_state, _ key: AddressKey) {
        func has(_ flag: vcpu_flags) -> Bool { record.flags & flag.rawValue != 0 }
        self.init(
            vm: key.hidden(record.vm), process: Int32(bitPattern: record.pid), vcpu: Int32(bitPattern: record.vcpu),
            inhibits: record.inhibits, isAPICvActive: has(VCPU_APICV_ACTIVE), isGuestMode: has(VCPU_GUEST_MODE),
            hasLAPIC: has(VCPU_LAPIC),
            vmx: has(VCPU_VMX)
                ? VMXChoices(
                    deliversVirtualInterrupts: has(VCPU_VID), l1InterceptsInterrupts: has(VCPU_L1_EXT_INT_EXITING),
                    l1DeliversVirtualInterrupts: has(VCPU_L1_VID))
                : nil)
        isFirstRun = has(VCPU_FIRST_RUN)
    }
}

extension LAPICReading {
    init(_ record: probe_lapic_words) {
        let occasion: Occasion =
            switch UInt32(record.occasion) {
            case LAPIC_L1_EXIT.rawValue: .l1Exit
            case LAPIC_L2_ENTRY.rawValue: .l2Entry(Pending(rawValue: record.blocks))
            case LAPIC_ASLEEP.rawValue: .asleep
            default: .exit
            }
        self.init(
            vcpu: Int32(bitPattern: record.vcpu), occasion: occasion,
            words: LAPICWords(
                irr: withUnsafeBytes(of: record.irr) { VectorSet(registers: $0.bindMemory(to: UInt32.self)) },
                isr: withUnsafeBytes(of: record.isr) { VectorSet(registers: $0.bindMemory(to: UInt32.self)) },
                tpr: UInt8(truncatingIfNeeded: record.tpr), ppr: UInt8(truncatingIfNeeded: record.ppr)))
        interruptFlag = Self.answer(record.interrupt_flag)
        isAPICEnabled = Self.answer(record.apic_enabled)
    }

    private static func answer(_ recorded: UInt32) -> Bool? {
        recorded == ANSWER_UNKNOWN.rawValue ? nil : recorded == ANSWER_YES.rawValue
    }
}
