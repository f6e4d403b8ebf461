// SPDX-License-Identifier: Apache-2.0

/// An analysis that nobody else looks at.
public typealias Analysis = WatchedAnalysis<NoObserver>

/// A whole analysis as a sink: the machine, what watches it, and the window of time that is asked for.
public struct WatchedAnalysis<Other: Onlooker & ~Copyable>: EventSink, ~Copyable, Sendable {
    public internal(set) var machine: Machine
    var watchers: Watchers<Other>
    public var rules: Rules {
        _read { yield watchers.rules }
    }
    public var observations: Observations {
        _read { yield watchers.observations }
    }
    /// What is left of VMs that ended.
    public internal(set) var ended = EndedVMs()
    /// What KVM is asked to have done otherwise, set before the first event.
    public var policy: InhibitPolicy? {
        get { watchers.policy == nil ? nil : .inhibitOnL2Access }
        set { watchers.policy = newValue == nil ? nil : InhibitOnL2Access() }
    }
    /// The VMs that are asked for stay whatever becomes of them.
    public var wanted = Selection()
    /// Events were lost that may have been anybody's.
    private(set) var hasLostOfAnybody = false
    /// Before it events only bring the machine up to date; after it they are ignored.
    let window: ClosedRange<UInt64>
    private(set) var isInWindow: Bool
    /// Events before this time are the machine's without a question; 0 until the window has begun.
    private var fence: UInt64 = 0
    /// A window was asked for, and no event lies in it.
    public private(set) var isWindowEmpty: Bool

    /// - Parameter symbols: of the traced host, where the trace doesn't carry them.
    public init(
        info: TraceInfo, symbols: KernelSymbols? = nil, window: ClosedRange<UInt64>? = nil, onlooker: consuming Other
    ) {
        var info = info
        info.symbols = symbols ?? info.symbols
        machine = Machine(info: info)
        watchers = Watchers(onlooker: onlooker)
        self.window = window ?? 0...(.max)
        isInWindow = window == nil
        isWindowEmpty = window != nil
    }

    @inline(__always)
    public mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event(let event): self.event(event, at: stamp)
        case .lost(let gap): lost(gap)
        case .fact(let fact): take(fact, at: stamp)
        }
    }

    @inline(__always)
    public mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        if advanceWindow(to: stamp) { machine.event(event, at: stamp, observer: &watchers) }
    }

    @inline(__always)
    public mutating func entry(_ entry: KVMEvent.Entry, at stamp: EventStamp) {
        if advanceWindow(to: stamp) { machine.entry(entry, at: stamp, observer: &watchers) }
    }

    @inline(__always)
    public mutating func exit(_ exit: KVMEvent.Exit, at stamp: EventStamp) {
        if advanceWindow(to: stamp) { machine.exit(exit, at: stamp, observer: &watchers) }
    }

    @inline(__always)
    public mutating func nestedVMExit(_ exit: KVMEvent.Exit, at stamp: EventStamp) {
        if advanceWindow(to: stamp) { machine.nestedVMExit(exit, at: stamp, observer: &watchers) }
    }

    @inline(never)
    private mutating func lost(_ gap: EventGap) {
        if gap.process == nil { hasLostOfAnybody = true }
        if gap.from ?? 0 <= window.upperBound { machine.lost(gap, observer: &watchers) }
    }

    /// The trace is over.
    public mutating func finish() {
        if !isInWindow { begin() }
        watchers.rules.finish(machine)
        watchers.onlooker.finish(machine)
    }

    /// Hands over who watched beside the rules; another one has the place from here on.
    public mutating func release(for other: consuming Other) -> Other {
        swap(&watchers.onlooker, &other)
        return other
    }

    /// Goes on to an event's time; the first in the window begins it. False where the window is over and the event is ignored.
    @inline(__always)
    mutating func advanceWindow(to stamp: EventStamp) -> Bool {
        if watchers.onlooker.needsRoom { makeRoomBeside() }
        return !machine.isCrowded && stamp.time < fence || cross(at: stamp)
    }

    @inline(never)
    private mutating func cross(at stamp: EventStamp) -> Bool {
        if machine.isCrowded { makeRoom() }
        if isInWindow { fence = window.upperBound }
        if !isInWindow, stamp.time >= window.lowerBound { enter(at: stamp.time) }
        return stamp.time <= window.upperBound
    }

    /// What the findings so far rest on stays with who watches beside the rules.
    @inline(never)
    private mutating func makeRoomBeside() {
        let moments = findings.flatMap { finding in
            finding.evidence.entries.map { Moment(vm: finding.vm, vcpu: finding.vcpu, time: $0.stamp.time) }
        }
        watchers.onlooker.makeRoom(keeping: moments, in: machine)
    }

    private mutating func enter(at time: UInt64) {
        begin()
        isWindowEmpty = time > window.upperBound
    }

    private mutating func begin() {
        isInWindow = true
        machine.forgetCounts()
        watchers.begin(at: window.lowerBound)
        forgetEnded()
    }
}

extension Analysis {
    /// - Parameter symbols: of the traced host, where the trace doesn't carry them.
    public init(info: TraceInfo, symbols: KernelSymbols? = nil, window: ClosedRange<UInt64>? = nil) {
        self.init(info: info, symbols: symbols, window: window, onlooker: NoObserver())
    }
}
