// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A trace written by hand, event by event: what goes into the machine and the rules.
///
/// Each event comes a microsecond after the one before; `after(ms:)` lets time pass. Events belong to the thread that was
/// last chosen with `thread(_:)`. Trace+Phrases.swift has the sequences that KVM emits for one thing that happens.
struct Trace {
    struct Thread {
        var tid: Int32
        var vcpu: Int32?
        var cpu: Int32

        static let vmm = Thread(tid: 100, vcpu: nil, cpu: 9)
        static let vcpu0 = Thread(tid: 101, vcpu: 0, cpu: 0)
        static let vcpu1 = Thread(tid: 102, vcpu: 1, cpu: 1)
    }

    private enum Step {
        case event(KVMEvent, EventStamp)
        case gap(EventGap)
    }

    var info: TraceInfo
    var totals = TraceTotals()
    private(set) var thread = Thread.vcpu0
    private(set) var time: UInt64 = 0
    private var steps: [Step] = []
    /// Threads that have run since the trace created a VM: in one that ran before they may begin anywhere.
    private var entered: Set<Int32>?

    /// Every event is recorded on a kernel whose inhibit names are known, by a clock in nanoseconds.
    init(recorded: EventKindSet = EventKindSet(rawValue: .max), clock: TraceClock.Unit = .nanoseconds) {
        info = TraceInfo(format: "by hand", clock: TraceClock(name: "local", unit: clock), cpus: 8)
        info.kernel = "6.1.0"
        info.recordedKinds = recorded
    }

    mutating func thread(_ thread: Thread) {
        self.thread = thread
    }

    mutating func after(ms: Double) {
        time += UInt64(ms * 1_000_000)
    }

    /// The clock of another CPU is behind.
    mutating func rewind(ms: Double) {
        time -= min(time, UInt64(ms * 1_000_000))
    }

    /// A VM is created: its vCPUs begin with an entry.
    mutating func beginsAnew() {
        entered = []
    }

    /// The thread's vCPU exits: true where nobody can have seen it enter before.
    mutating func isFirstExit() -> Bool { entered?.insert(thread.tid).inserted ?? false }

    mutating func emit(_ events: KVMEvent...) {
        for event in events {
            time += 1000
            steps.append(.event(event, EventStamp(time: time, cpu: thread.cpu, tid: thread.tid)))
        }
    }

    /// Events were lost on a CPU, up to this moment; with a process, of that one alone.
    mutating func gap(cpu: Int32, of process: Int32? = nil, events: UInt64? = nil) {
        let gap = EventGap(instance: 0, cpu: cpu, process: process, from: time, to: time + 1000, events: events)
        steps.append(.gap(gap))
        totals.gaps.append(gap)
        time += 1000
    }

    func feed(_ sink: inout some EventSink & ~Copyable) {
        for step in steps {
            switch step {
            case .event(let event, let stamp): sink.event(event, at: stamp)
            case .gap(let gap): sink.lost(gap)
            }
        }
    }

    /// What machine, rules and report make of it.
    func outcome(
        window: ClosedRange<UInt64>? = nil, selection: Selection = Selection(vms: []), policy: InhibitPolicy? = nil
    ) -> Outcome {
        var analysis = Analysis(info: info, window: window)
        analysis.policy = policy
        feed(&analysis)
        analysis.finish()
        var totals = totals
        totals.first = 0
        totals.last = time
        return Outcome(analysis, totals, selection)
    }

    /// What the machine tells the rules, apart from entries; with exits, where somebody watches them.
    func transitions(watchingExits: Bool = false) -> [Transition] {
        var listener = Listener(machine: Machine(info: info), log: Log(isWatchingExits: watchingExits))
        feed(&listener)
        return listener.log.transitions
    }

    private struct Log: MachineObserver {
        var isWatchingExits: Bool
        var transitions: [Transition] = []

        func watchesExits(of vcpu: VCPUIndex) -> Bool { isWatchingExits }

        mutating func observe(_ transition: Transition, of vcpu: VCPUIndex, at: EventStamp, in: borrowing Machine) {
            transitions.append(transition)
        }
    }

    private struct Listener: EventSink, ~Copyable {
        var machine: Machine
        var log: Log

        mutating func take(_ item: TraceItem, at stamp: EventStamp) {
            switch item {
            case .event(let event): machine.event(event, at: stamp, observer: &log)
            case .lost(let gap): machine.lost(gap, observer: &log)
            case .fact: break
            }
        }
    }
}

extension Selection {
    /// One VM by its process, one vCPU, or both.
    init(vm: Int32? = nil, vcpu: Int32? = nil) {
        self.init(vms: vm.map { [.process($0)] } ?? [], vcpus: vcpu.map { [$0...$0] } ?? [])
    }
}
