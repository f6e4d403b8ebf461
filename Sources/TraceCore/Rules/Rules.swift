// SPDX-License-Identifier: Apache-2.0

/// All rules, fed by the machine. Adding one: a file with the rule, and a line in each function here.
public struct Rules: MachineObserver, Sendable {
    private var l2APICDirect = L2APICDirect()
    private var staleSVI = StaleSVI()
    private var stuckISR = StuckISR()
    private var lostAccept = LostAccept()
    private var inhibitFlapping = InhibitFlapping()
    private var initSIPIRace = InitSIPIRace()

    public init() {}

    @inline(__always)
    public mutating func observe(
        _ transition: Transition, of vcpu: Int, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        staleSVI.observe(transition, of: vcpu, at: stamp, in: machine)
        lostAccept.observe(transition, of: vcpu, at: stamp, in: machine)
        // Entries are a third of a trace and mean nothing to the others.
        if case .entered = transition { return }
        l2APICDirect.observe(transition, of: vcpu, at: stamp, in: machine)
        stuckISR.observe(transition, of: vcpu, at: stamp, in: machine)
        inhibitFlapping.observe(transition, of: vcpu, at: stamp, in: machine)
        initSIPIRace.observe(transition, of: vcpu, at: stamp, in: machine)
    }

    /// The trace is over.
    public mutating func finish(_ machine: borrowing Machine) {
        staleSVI.finish(machine)
    }

    /// What is known of the fix: behaviour overrides what symbols and types say, and hints come last.
    public func fixState(_ info: TraceInfo) -> FixState {
        let byTypes = info.sviFix.flatMap { $0.state == .unknown ? nil : $0 }
        return staleSVI.fixByBehaviour
            ?? FixState.fromSymbols(info.symbols, release: info.kernel.flatMap(KernelRelease.init(uname:)))
            ?? byTypes ?? FixState.hint(info)
    }

    /// The findings, worst first, then by time.
    public func findings(in machine: borrowing Machine, fix: FixState) -> [RuleFinding] {
        let stale = staleSVI.findings(in: machine, fix: fix)
        let explained = Set(stale.filter { !$0.symptoms.isEmpty }.compactMap(\.vcpu))
        let all =
            stale + stuckISR.findings(in: machine, explained: explained)
            + lostAccept.findings(in: machine, explained: explained)
            + l2APICDirect.findings(in: machine) + inhibitFlapping.findings(in: machine)
            + initSIPIRace.findings(in: machine)
        return all.enumerated().sorted { left, right in
            if left.element.grade != right.element.grade { return left.element.grade > right.element.grade }
            if left.element.first != right.element.first { return left.element.first < right.element.first }
            return left.offset < right.offset
        }.map(\.element)
    }
}
