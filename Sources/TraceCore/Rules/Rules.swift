// SPDX-License-Identifier: Apache-2.0

/// All rules, fed by the machine. Adding one: a file with the rule, and a line in each function here.
public struct Rules: MachineObserver, ~Copyable, Sendable {
    private var l2APICDirect = L2APICDirect()
    private var staleSVI = StaleSVI()
    private var stuckISR = StuckISR()
    private var lostAccept = LostAccept()
    private var waits = Waits()
    private var inhibitFlapping = InhibitFlapping()
    private var initSIPIRace = InitSIPIRace()

    public init() {}

    @inline(__always)
    public mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        staleSVI.observe(transition, of: vcpu, at: stamp, in: machine)
        waits.observe(transition, of: vcpu, at: stamp, in: machine, crossings: staleSVI)
        lostAccept.observe(transition, of: vcpu, at: stamp, in: machine)
        l2APICDirect.observe(transition, of: vcpu, at: stamp, in: machine)
        stuckISR.observe(transition, of: vcpu, at: stamp, in: machine)
        inhibitFlapping.observe(transition, of: vcpu, at: stamp, in: machine)
        initSIPIRace.observe(transition, of: vcpu, at: stamp, in: machine)
    }

    @inline(__always)
    public mutating func entered(
        _ level: Level, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        staleSVI.entered(level, vcpu)
        waits.entered(level, vcpu, at: stamp, in: machine, crossings: staleSVI)
        lostAccept.entered(level, vcpu, machine)
    }

    @inline(__always)
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool {
        waits.watchesEntries(of: vcpu) || staleSVI.watchesEntries(of: vcpu) || lostAccept.watchesEntries(of: vcpu)
    }

    /// The trace is over.
    public mutating func finish(_ machine: borrowing Machine) {
        staleSVI.tick(at: machine.now, in: machine)
    }

    /// A VM has ended: other vCPUs have its places from now on.
    mutating func forget(vm: VMIndex, vcpus: [VCPUIndex]) {
        inhibitFlapping.forget(vm: vm)
        for vcpu in vcpus {
            staleSVI.forget(vcpu)
            waits.forget(vcpu)
            lostAccept.forget(vcpu)
            l2APICDirect.forget(vcpu)
            stuckISR.forget(vcpu)
            initSIPIRace.forget(vcpu)
        }
    }

    /// VMs end: what they have shown of the fix stays known.
    mutating func rememberFix(in machine: borrowing Machine) { staleSVI.rememberFix(in: machine) }

    /// Live: the words of a vCPU's local APIC.
    mutating func lapic(
        _ reading: LAPICReading, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        staleSVI.words(reading.words, of: vcpu, at: stamp)
        switch reading.occasion {
        case .l1Exit: staleSVI.l1Exit(reading.words, of: vcpu, at: stamp, in: machine)
        case .l2Entry: lostAccept.l2Entry(reading, of: vcpu, at: stamp)
        case .asleep: break
        case .exit:
            // L1's exits of a vCPU that has run no L2 are reported by no other reading. APICv is virtual-interrupt delivery there.
            let vcpuState = machine.vcpus[vcpu].state
            guard vcpuState?.isAPICvActive == true, vcpuState?.vmx == nil, !machine.vcpus[vcpu].hasNested else {
                return
            }
            staleSVI.l1Exit(reading.words, of: vcpu, at: stamp, in: machine)
        }
    }

    /// Live: time has passed, and every event up to then has been reported.
    mutating func tick(at time: UInt64, in machine: borrowing Machine) {
        staleSVI.tick(at: time, in: machine)
        lostAccept.tick(at: time, in: machine)
    }

    /// Live: threads whose vCPUs had slept on an interrupt for a while at the latest tick, and no words read since tell why.
    var unexplainedSleepers: [Int32] { lostAccept.unexplainedSleepers }

    /// What is known of the fix: by the worse of what interrupts did and what symbols and types say; hints come last.
    public func fixState(in machine: borrowing Machine) -> FixState {
        let info = machine.info
        let reported =
            FixState.fromSymbols(info.symbols, release: info.kernel.flatMap(KernelRelease.init(uname:)))
            ?? info.sviFix.flatMap { $0.state == .unknown ? nil : $0 }
        guard let shown = staleSVI.fixByBehaviour(in: machine) else { return reported ?? FixState.hint(info) }
        guard let reported, reported.state != shown.state else { return shown }
        return shown.contradicted(by: reported)
    }

    /// Interrupts that waited for long and came in the end.
    func lateDeliveries(in machine: borrowing Machine) -> [Observation] { waits.lateDeliveries(in: machine) }

    /// The findings, worst first, then by time.
    ///
    /// - Parameters:
    ///   - ended: what was found of VMs when they ended.
    ///   - asked: only those of these vCPUs are looked for, of which a host has few among many.
    public func findings(
        in machine: borrowing Machine, fix: FixState, ended: EndedVMs = EndedVMs(), ofVCPUs asked: [VCPUIndex]? = nil
    ) -> [RuleFinding] {
        let vcpus = asked ?? Array(machine.vcpus.indices)
        var stale = staleSVI.findings(of: vcpus, in: machine, waits: waits, fix: fix)
        var explained: [VCPUIndex: VectorSet] = [:]
        for finding in stale {
            guard let vcpu = finding.vcpu else { continue }
            for vector in finding.vectors { explained[vcpu, default: VectorSet()].insert(vector) }
        }
        let stuck = Set(stale.filter { !$0.stuck.isEmpty }.compactMap(\.vcpu))
        var lost = lostAccept.findings(of: vcpus, in: machine, waits: waits, explained: explained)
        for index in stale.indices where stale[index].grade >= .suspect {
            // The same interrupts on the same vCPU: one loss, one finding.
            guard
                let same = lost.firstIndex(where: {
                    $0.vcpu == stale[index].vcpu && Set(stale[index].vectors).isSuperset(of: $0.vectors)
                })
            else { continue }
            stale[index].absorb(lost.remove(at: same))
        }
        let all =
            stale + stuckISR.findings(in: machine, explained: stuck) + lost
            + l2APICDirect.findings(of: vcpus, in: machine) + inhibitFlapping.findings(in: machine)
            + initSIPIRace.findings(in: machine) + ended.findings
        return all.enumerated().sorted { left, right in
            if left.element.grade != right.element.grade { return left.element.grade > right.element.grade }
            if left.element.first != right.element.first { return left.element.first < right.element.first }
            return left.offset < right.offset
        }.map(\.element)
    }
}
