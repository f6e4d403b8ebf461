// SPDX-License-Identifier: Apache-2.0

/// What the first part of a text shows of the whole: who printed it, which columns it has, which events.
///
/// A text has no list of what was recorded. Where it is longer than what is looked at here, what comes for the first time later is read
/// all the same.
struct TextSurvey {
    private(set) var kinds: EventKindSet = []
    /// KVM's events that nobody selects one by one: where they are all of its systems were recorded.
    private var others: Set<String> = []
    /// The kernel prints which vCPU faulted, which it does since 6.0.
    private var faultsNameVCPU = false
    private(set) var fields: Set<String> = []
    private(set) var isa = ISA.unknown
    private(set) var commands: [Int32: String] = [:]
    private(set) var inhibitNames: [String] = []
    private(set) var release: String?
    private(set) var architecture: String?
    /// The machine whose KVM prints such texts; nil for x86.
    private(set) var otherMachine: String?
    /// In nanoseconds or in units that the text doesn't tell; nil where no line of KVM's has a time.
    private(set) var unit: LineTime.Unit?
    /// Each time is what passed since the line before (perf script --deltatime).
    private(set) var tellsDifferences = false
    private(set) var printer = Printer.unknown
    /// 0 where no line tells.
    private(set) var cpus = 0
    /// vCPUs that lines without a thread name.
    private(set) var vcpusWithoutThread: Set<Int32> = []
    /// Lines of events, KVM's or others.
    private(set) var events = 0
    /// Of the first event.
    private(set) var first: UInt64?

    enum Printer: String {
        case traceCmd = "trace-cmd report"
        case tracefs
        case perf = "perf script"
        case unknown
    }

    /// So much of the file is looked at.
    static let size: UInt64 = 16 << 20
    private static let mostCommands = 1 << 16
    private static let mostOthers = 256
    /// So many of them are no choice of somebody's.
    private static let othersOfWholeSystem = 3
    /// A text shows among so many events that it is another machine's, or an old kernel's.
    private static let telling = 1000

    private var entriesTellInterrupts = false
    private var entriesTellPlace = false
    private var nestedExits = 0
    private var last: UInt64 = 0
    /// Whose name needs no look.
    private var lastThread: Int32?
    private var stepsBack = 0

    init(_ file: InputFile) {
        var scanner = TextScanner(file)
        while scanner.lines.offset < Self.size, let line = scanner.next() {
            switch line {
            case .event: noteEvent(scanner)
            case .header: noteHeader(scanner)
            case .lost, .omission: break
            case .other: noteOther(scanner.lines)
            }
        }
        if entriesTellInterrupts { fields.insert("kvm_entry.intr_info") }
        if entriesTellPlace { fields.insert("kvm_entry.rip") }
        isa = scanner.isa
        tellsDifferences = first == 0 && stepsBack > 0
    }

    private mutating func noteEvent(_ scanner: borrowing TextScanner) {
        let (text, current) = (scanner.lines.buffer.span, scanner.lines.current)
        if otherMachine == nil, events < Self.telling { otherMachine = Self.otherMachine(text, scanner.frame, current) }
        events += 1
        note(scanner.frame.time)
        guard let kind = scanner.kind else {
            if scanner.isFirstOfName, others.count < Self.mostOthers, let name = scanner.nameOfOther {
                others.insert(name)
            }
            return
        }
        kinds.insert(kind)
        if let cpu = scanner.frame.cpu { cpus = max(cpus, Int(min(cpu, 8191)) + 1) }
        if printer == .unknown, scanner.frame.name.lowerBound > current.lowerBound,
            text[scanner.frame.name.lowerBound - 1] == UInt8(ascii: ":")
        {
            printer = .perf
        }
        if let thread = scanner.frame.thread {
            if thread != lastThread { noteCommand(thread, text, scanner.frame.command) }
        } else if let id = scanner.event?.vcpu, vcpusWithoutThread.count < 2 {
            vcpusWithoutThread.insert(id)
        }
        noteFields(kind, scanner.event, text, scanner.frame.text..<max(scanner.frame.text, current.upperBound))
    }

    private mutating func noteCommand(_ thread: Int32, _ text: Span<UInt8>, _ name: Range<Int>) {
        if commands[thread] == nil, commands.count < Self.mostCommands {
            let command = text.text(name.lowerBound..<min(name.upperBound, name.lowerBound + 64))
            guard !command.isEmpty, command != "<...>" else { return }
            commands[thread] = command
        }
        lastThread = thread
    }

    private mutating func note(_ time: LineTime?) {
        guard let time else { return }
        unit = unit == .bare ? .bare : time.unit
        if first == nil { first = time.value } else if time.value < last { stepsBack += 1 }
        last = time.value
    }

    /// Fields that tell a kernel's age, where the text itself shows them.
    private mutating func noteFields(
        _ kind: EventKind, _ event: KVMEvent?, _ text: Span<UInt8>, _ range: Range<Int>
    ) {
        switch kind {
        case .entry:
            guard case .entry(let entry) = event else { return }
            if entry.intrInfo != nil { entriesTellInterrupts = true }
            if entry.rip != nil { entriesTellPlace = true }
            // `[immediate exit]`, or `immediate_exit=0`.
            if events < Self.telling, !fields.contains("kvm_entry.immediate_exit"),
                Self.contains(text, range, "immediate") || Self.contains(text, range, "immediate_exit")
            {
                fields.insert("kvm_entry.immediate_exit")
            }
        case .pageFault:
            if case .pageFault(let fault) = event, fault.vcpu != nil { faultsNameVCPU = true }
        case .nestedVMExit:
            // To 5.9: names of its own, which the plugin prints in other words.
            nestedExits += 1
            guard nestedExits <= Self.telling else { return }
            if Self.contains(text, range, "ext_inf1") || Self.contains(text, range, "int_info_err")
                || Self.contains(text, range, "exit_int_info")
            {
                fields.insert("kvm_nested_vmexit.exit_code")
            }
        case .apicvInhibitChanged: noteInhibits(event, text, range)
        default: break
        }
    }

    private static func contains(_ text: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
        var words = TextWords(range)
        while words.next(text) {
            if text.hasPrefix(word, at: words.token.lowerBound), words.token.count == word.utf8CodeUnitCount {
                return true
            }
        }
        return false
    }

    /// `inhibits=0x204 ABSENT|PIT_REINJ`: the names of the mask's bits, lowest first (6.12 and later).
    private mutating func noteInhibits(_ event: KVMEvent?, _ text: Span<UInt8>, _ range: Range<Int>) {
        guard case .apicvInhibitChanged(let change) = event, change.inhibits != 0 else { return }
        var names: [String] = []
        var words = TextWords(range)
        while words.next(text) {
            let first = text[words.token.lowerBound]
            if first &- UInt8(ascii: "A") < 26, words.token.count <= 32 { names.append(text.text(words.token)) }
        }
        guard names.count == change.inhibits.nonzeroBitCount else { return }
        var bits = change.inhibits
        for name in names {
            let bit = bits.trailingZeroBitCount
            bits &= bits - 1
            while inhibitNames.count <= bit { inhibitNames.append("") }
            inhibitNames[bit] = name
        }
    }

    /// By what other machines' KVM prints (arch/arm64/kvm/trace_arm.h, arch/riscv/kvm/trace.h, arch/s390/kvm/trace.h,
    /// arch/powerpc/kvm/trace_hv.h, 5.10 to 7.2).
    private static func otherMachine(_ text: Span<UInt8>, _ frame: LineFrame, _ line: Range<Int>) -> String? {
        if text.hasPrefix("kvm_s390_", at: frame.name.lowerBound) { return "s390x" }
        if text.hasPrefix("kvm_guest_enter", at: frame.name.lowerBound)
            || text.hasPrefix("kvm_guest_exit", at: frame.name.lowerBound)
        {
            return "ppc64le"
        }
        guard
            text.hasPrefix("kvm_entry", at: frame.name.lowerBound)
                || text.hasPrefix("kvm_exit", at: frame.name.lowerBound)
        else { return nil }
        var words = TextWords(frame.text..<max(frame.text, line.upperBound))
        while words.next(text) {
            if [scause, sepc].contains(WordKey(text, words.token)) { return "riscv64" }
            if [pc, syndrome, vcpuPC].contains(WordKey(text, words.token)) { return "aarch64" }
        }
        return nil
    }

    private static let scause = WordKey("SCAUSE")
    private static let sepc = WordKey("SEPC")
    private static let pc = WordKey("PC")
    private static let syndrome = WordKey("HSR_EC")
    private static let vcpuPC = WordKey("vcpu_pc")

    /// What was on, as far as the text shows: where events are that nobody selects one by one, all of their systems were, and what
    /// doesn't show did not happen. ``Consistency`` finds where that is not so.
    ///
    /// What some kernels don't have counts only where the text shows that this one does.
    var selection: EventKindSet? {
        let ofMMU = others.filter {
            $0.hasPrefix("kvm_mmu_") || $0.hasPrefix("kvm_tdp_mmu_") || $0 == "fast_page_fault"
        }
        guard others.count - ofMMU.count >= Self.othersOfWholeSystem else { return nil }
        var selection = kinds
        for kind in EventKind.allCases where ofMMU.count > 1 || kind.traceSystem != "kvmmmu" {
            switch kind {
            case .apicvUpdateRequest: break
            case .apicvInhibitChanged, .nestedVMEnter, .apicvAcceptIRQ: if faultsNameVCPU { selection.insert(kind) }
            default: selection.insert(kind)
            }
        }
        return selection
    }

    private mutating func noteHeader(_ scanner: borrowing TextScanner) {
        if scanner.header("tracer") != nil { printer = .tracefs }
        if let value = scanner.header("os release") { release = value }
        // `nop latency trace v1.1.5 on 6.12.117+deb13-amd64`.
        if release == nil, let latency = scanner.releaseOfLatencyTrace { release = latency }
        if let value = scanner.header("arch") { architecture = value }
        if let value = scanner.header("nrcpus online").flatMap(Int.init) { cpus = max(cpus, min(value, 8192)) }
    }

    /// `cpus=8`, the first line of trace-cmd's.
    private mutating func noteOther(_ lines: borrowing TextLines) {
        guard printer == .unknown, lines.number < 64 else { return }
        let text = lines.buffer.span
        let start = text.unquotedStart(lines.current)
        guard text.hasPrefix("cpus=", at: start), start < lines.current.upperBound else { return }
        printer = .traceCmd
        let end = text.trimmedEnd(lines.current.upperBound, from: start)
        if let count = text.decimal(start + 5..<max(start + 5, end)) { cpus = max(cpus, Int(min(count, 8192))) }
    }
}

extension KVMEvent {
    /// The vCPU that the event itself names as the one that runs; nil where it doesn't.
    var vcpu: Int32? {
        switch self {
        case .entry(let entry): entry.vcpu
        case .exit(let exit), .nestedVMExit(let exit): exit.vcpu
        case .pageFault(let fault): fault.vcpu
        default: nil
        }
    }
}
