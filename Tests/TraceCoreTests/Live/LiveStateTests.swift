// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct LiveStateTests {
    @Test func `KVM's own state leaves nothing to infer`() {
        var trace = LiveTrace()
        trace.state(inhibits: 8, guestMode: true)
        trace.analysis.command("qemu", of: 100)
        trace.emit(.enter)
        let report = trace.report()
        #expect(report.host.isa == .vmx)
        #expect(report.vms.map(\.pid) == [100])
        #expect(report.vms.map(\.command) == ["qemu"])
        #expect(
            report.vms[0].apicv == [
                .init(
                    from: 0, to: 2000, state: .inhibited, mask: "0x8", inhibits: ["BLOCKIRQ"], inferred: false,
                    setBy: nil)
            ])
        #expect(!report.limits.contains { $0.contains("inference") })
    }

    @Test func `a kvm_intel whose memory can't be read is a limit of the report, while its VM lives and after it`() {
        func isLimit(isa: ISA = .vmx, inhibits: UInt64 = 0, vmx: VCPUState.VMXChoices? = nil, ended: Int = 0) -> Bool {
            var trace = LiveTrace(isa: isa)
            for _ in 0...ended {
                trace.state(inhibits: inhibits, vmx: vmx, firstRun: true)
                trace.emit(.enter)
                if ended > 0 { trace.end(process: 100) }
            }
            return trace.report().limits.contains { $0.contains("signs C1 and C2") }
        }
        let read = VCPUState.VMXChoices(
            deliversVirtualInterrupts: true, l1InterceptsInterrupts: false, l1DeliversVirtualInterrupts: false)
        #expect(isLimit())
        // Live began before the CPU's vendor was known.
        #expect(isLimit(isa: .unknown))
        #expect(isLimit(ended: 1000))
        #expect(!isLimit(vmx: read))
        #expect(!isLimit(inhibits: 2))
        #expect(!isLimit(isa: .svm))
    }

    @Test func `an exposed L2 needs no recording of what was recorded`() throws {
        func advice(without absent: EventKindSet) throws -> String {
            var trace = LiveTrace(sviFix: FixState(state: .absent, basis: .btf, evidence: "a member"), without: absent)
            trace.state(guestMode: true)
            trace.emit(.enter, .leave(.eptMisconfig), .nested(.eptMisconfig))
            trace.emit(.mmio(.init(type: 2, gpa: 0xfee0_0080, value: 0)), .enter)
            return try #require(trace.report().findings.first { $0.grade == .exposed }).advice
        }
        #expect(try !advice(without: []).contains("Record "))
        #expect(try advice(without: EventKindSet(.injVIRQ)).contains("Record kvm_inj_virq as well"))
    }

    @Test func `the level is known from the first event on`() {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        trace.emit(.accept(0x41))
        var l1 = LiveTrace()
        l1.state()
        l1.emit(.accept(0x41), .eoi(.init(vcpu: 0, vector: 0x41)))
        #expect(trace.report().vms[0].vcpus[0].interrupts[0].accepted == .init(l1: 0, l2: 1, unknown: 0))
        let line = l1.report().vms[0].vcpus[0].interrupts[0]
        #expect(line.accepted == .init(l1: 1, l2: 0, unknown: 0))
        #expect(line.ended == .init(l1: 1, l2: 0, unknown: 0))
    }

    @Test func `VMs of one process are reported apart by KVM's pointer`() {
        var trace = LiveTrace()
        trace.state(vm: 0x1000)
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 102)
        trace.state(vm: 0x2000)
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 103)
        trace.state(vm: 0x1000, vcpu: 1)
        let report = trace.report()
        #expect(report.vms.map(\.pid) == [100, 100])
        #expect(report.vms.map { $0.vcpus.map(\.tid) } == [[101, 103], [102]])
    }

    @Test func `a worker thread's inhibits are its own process's`() {
        var trace = LiveTrace()
        trace.state(vm: 0x1000, process: 100)
        // Another VM is being created: its first mask comes before any of its vCPUs.
        trace.thread(200, of: 200)
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 200)
        trace.emit(.apicvInhibitChanged(.init(reason: 2, set: true, inhibits: 4)))
        trace.thread(150, of: 100)
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 150)
        trace.emit(.apicvInhibitChanged(.init(reason: 3, set: true, inhibits: 8)))
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 201)
        trace.state(vm: 0x2000, process: 200, inhibits: 4)
        let report = trace.report()
        #expect(report.vms.map(\.pid) == [100, 200])
        #expect(report.vms[0].apicv.map(\.mask) == ["0x0", "0x8"])
        #expect(report.vms[0].apicv.map { $0.setBy?.tid } == [nil, 150])
        #expect(report.vms[1].apicv.map(\.mask) == ["0x4"])
        #expect(report.vms[1].apicv.map { $0.setBy?.tid } == [200])
    }

    @Test func `a worker thread of a process with two VMs may be either's`() {
        var trace = LiveTrace()
        trace.state(vm: 0x1000)
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 102)
        trace.state(vm: 0x2000)
        trace.thread(150, of: 100)
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 150)
        trace.emit(.apicvInhibitChanged(.init(reason: 3, set: true, inhibits: 8)))
        #expect(trace.report().vms.map { $0.apicv.map(\.mask) } == [["0x0"], ["0x0"]])
    }

    @Test func `events before the vCPU is named are its own`() {
        var trace = LiveTrace()
        trace.thread(101, of: 100)
        trace.emit(
            .mmio(.init(type: 2, gpa: 0xfee0_0300)), .apicIPI(.init(icrLow: 0x44041, destination: 0)), .accept(0x41))
        trace.state()
        trace.emit(.eoi(.init(vcpu: 0, vector: 0x41)))
        let report = trace.report()
        #expect(report.vms.count == 1)
        #expect(report.vms[0].vcpus.map(\.id) == [0])
        #expect(report.vms[0].vcpus[0].ipisSent == 1)
        #expect(report.vms[0].vcpus[0].apicAccess.l1.writes == 1)
        #expect(report.vms[0].vcpus[0].interrupts[0].accepted == .init(l1: 0, l2: 0, unknown: 1))
        #expect(report.vms[0].vcpus[0].interrupts[0].ended.l1 == 1)
    }

    @Test func `a mask read after a change may be older than it, unless events were lost`() {
        var trace = LiveTrace()
        trace.state(inhibits: 0)
        trace.emit(.apicvInhibitChanged(.init(reason: 3, set: true, inhibits: 8)))
        trace.state(inhibits: 0)
        trace.lost()
        trace.state(inhibits: 2)
        #expect(trace.report().vms[0].apicv.map(\.mask) == ["0x0", "0x8", "0x2"])
    }

    @Test func `type information comes before hints and after symbols and behaviour`() {
        let absent = FixState(state: .absent, basis: .btf, evidence: "a member")
        let unknown = FixState(state: .unknown, basis: .btf, evidence: "no types")
        let known = LiveTrace(sviFix: absent).report()
        #expect(known.host.sviFix.basis == .btf)
        #expect(known.host.sviFix.state == .absent)
        #expect(LiveTrace(sviFix: unknown).report().host.sviFix.basis == .release)
        var info = TraceInfo(format: "", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 1)
        info.sviFix = absent
        info.symbols = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: true)
        let fix = Rules().fixState(in: Machine(info: info))
        #expect(fix.basis == .kallsyms)
    }

    @Test func `a finding keeps its number while others pass it`() {
        var numbers = FindingNumbers()
        var trace = LiveTrace()
        trace.state()
        func finding(_ rule: RuleID, _ vector: UInt8) -> RuleFinding {
            var finding = RuleFinding(
                rule: rule, grade: .suspect, vm: 0, vcpu: 0, first: 0, last: 0, count: 1, statement: "")
            finding.vectors = [vector]
            return finding
        }
        func expect(_ finding: RuleFinding, _ expected: Int) {
            let number = numbers.number(of: finding, in: trace.analysis.machine)
            #expect(number == expected)
        }
        expect(finding(.l2APICDirect, 0), 1)
        expect(finding(.staleSVI, 0x41), 2)
        expect(finding(.staleSVI, 0x51), 2)
        expect(finding(.stuckISR, 0x41), 3)
        expect(finding(.stuckISR, 0x51), 4)
        expect(finding(.l2APICDirect, 0), 1)
    }
}
