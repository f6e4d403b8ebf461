// SPDX-License-Identifier: Apache-2.0

/// What a trace says of itself before its first event.
public struct TraceInfo: Sendable {
    /// Container, version and compression, e.g. `trace.dat v7 zstd`.
    public var format: String
    /// The traced host's `uname` line.
    public var kernel: String?
    public var clock: TraceClock
    /// CPUs of the traced host that the file knows of.
    public var cpus: Int
    /// Tracepoints whose format the trace carries, sorted; nil where it can't tell.
    public var eventsSelected: [String]?
    /// All that the kernel has, as `trace-cmd extract` writes them, whichever were on: only records tell that one was.
    public var describesWholeKernel: Bool
    /// The kinds among them that the machine uses.
    public var recordedKinds: EventKindSet
    /// Whoever recorded it says what was on, as live tracing does: a format is no mere description then.
    public var knowsSelection: Bool
    /// The traced machine's.
    var order = ByteOrder.little
    /// Formats of KVM's events that the machine has no use for, as their texts.
    var otherFormats: [[UInt8]]
    /// Names of those events.
    public var otherEvents: [String] { otherFormats.compactMap { EventFormat.identity(of: $0[...])?.name } }
    /// Fields of the recorded formats, `event.field`, that hint at the kernel's age.
    public var formatFields: Set<String>
    /// It comes from the running host, not from a file.
    public var isLive: Bool { format.hasPrefix(Self.live) }
    /// What the formats of live tracing begin with: `live (BPF)`.
    public static let live = "live ("

    /// The kernel has an event for every change of the inhibit mask (5.18 and later), and its format is there.
    public var recordsInhibits: Bool { recordedKinds.contains(.apicvInhibitChanged) }
    /// Inhibit names by bit where the format text spells them (6.12 and later), else empty.
    public var inhibitNames: [String]
    /// Kernel symbols, where the trace carries them.
    public var symbols: KernelSymbols?
    /// What live tracing learned from the running kernel's types.
    public var sviFix: FixState?
    /// Command of a thread, from the saved command lines.
    public var commands: [Int32: String]
    /// The host's virtualisation extension, where the source knows it; exits tell it too.
    public var isa: ISA
    /// What tells this recording from others, and the host's where it was made inside a guest.
    public var traceID: UInt64?
    public var hostTraceID: UInt64?
    /// vCPU threads of guests that were recorded along with the host.
    public var guests: [GuestMap]

    public init(format: String, clock: TraceClock, cpus: Int) {
        self.format = format
        self.clock = clock
        self.cpus = cpus
        kernel = nil
        eventsSelected = nil
        describesWholeKernel = false
        recordedKinds = []
        knowsSelection = false
        otherFormats = []
        formatFields = []
        inhibitNames = []
        symbols = nil
        sviFix = nil
        commands = [:]
        isa = .unknown
        traceID = nil
        hostTraceID = nil
        guests = []
    }
}

/// The two answers that the rules want of a kernel's symbol table.
public struct KernelSymbols: Equatable, Sendable {
    /// The list reaches as far as the part of kvm that would have the fix, so that an absence means something.
    public var hasKVM: Bool
    /// `kvm_apic_update_hwapic_isr` is there: the fix of mainline 04bc93cf49d1.
    public var hasUpdateHwapicISR: Bool

    public init(hasKVM: Bool, hasUpdateHwapicISR: Bool) {
        self.hasKVM = hasKVM
        self.hasUpdateHwapicISR = hasUpdateHwapicISR
    }
}

/// The vCPU threads of one guest, from a GUEST option of trace-cmd's agent sessions.
public struct GuestMap: Equatable, Sendable {
    public var name: String
    /// Host thread id of each vCPU.
    public var threads: [(vcpu: Int32, tid: Int32)]

    public init(name: String, threads: [(vcpu: Int32, tid: Int32)]) {
        self.name = name
        self.threads = threads
    }

    public static func == (left: GuestMap, right: GuestMap) -> Bool {
        left.name == right.name && left.threads.elementsEqual(right.threads, by: ==)
    }
}
