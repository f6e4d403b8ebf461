// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What --from, --to, --vm and --vcpu leave of an analysis.
@Suite struct SelectionTests {
    /// VM of thread 100: L2 uses the APIC by itself. VM of thread 900: nothing.
    private func twoVMs() -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.accessDirectly(0x20, write: false)
        trace.deliver(0x41)
        trace.endDirectly(0x41)
        let other = Trace.Thread(tid: 900, vcpu: nil, cpu: 7)
        trace.createVM(by: other)
        trace.thread(.init(tid: 901, vcpu: 0, cpu: 7))
        trace.exitOfL1()
        trace.enter()
        return trace
    }

    @Test func `a VM is chosen by its process or by any of its threads`() {
        for pid: Int32 in [100, 101] {
            let report = twoVMs().outcome(selection: .init(vm: pid)).report
            #expect(report.verdict == .exposed)
            #expect(report.vms.map(\.pid) == [100])
        }
        let other = twoVMs().outcome(selection: .init(vm: 901)).report
        #expect(other.verdict == .clean)
        #expect(other.findings.isEmpty)
        #expect(other.vms.map(\.pid) == [900])
    }

    @Test func `a vCPU is chosen by its id`() {
        var trace = twoVMs()
        trace.thread(.vcpu1)
        trace.exitOfL1()
        let report = trace.outcome(selection: .init(vm: 100, vcpu: 1)).report
        #expect(report.findings.isEmpty)
        #expect(report.vms.flatMap(\.vcpus).map(\.id) == [1])
    }

    @Test(arguments: [Selection(vm: 5), .init(vcpu: 3), .init(vm: 900, vcpu: 1)])
    func `what isn't in the trace is not clean`(_ selection: Selection) {
        let report = twoVMs().outcome(selection: selection).report
        #expect(report.verdict == .inconclusive)
        #expect(report.limits.contains { $0.contains("--vm") })
    }

    @Test func `before the window events bring the machine up to date, and count for nothing`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.accessDirectly(0x20, write: false)
        let start = trace.time
        trace.accessDirectly(0x30, write: false)
        let end = trace.time
        trace.accessDirectly(0x300, write: true)
        let seen = trace.outcome(window: start + 1...end)
        #expect(seen.finding(.l2APICDirect)?.registers.byRegister.map(\.register.name) == ["LVR"])
        #expect(seen.vcpus[0].exits.byName(.l2) == ["EPT_MISCONFIG": 1])
        #expect(seen.vms[0].apicv.state == .active)
    }

    @Test func `a window without events is not clean, and shows nothing of what lies outside`() {
        let trace = twoVMs()
        for window in [trace.time + 1...trace.time + 10, 1...2] {
            let seen = trace.outcome(window: window)
            #expect(seen.verdict == .inconclusive)
            #expect(seen.findings.isEmpty)
            #expect(seen.vcpus.allSatisfy { $0.exits.total(.l1) == 0 })
        }
    }

    @Test func `a gap after the window takes nothing from what was proven in it`() {
        var trace = Trace.endedByL2(0x30)
        for _ in 0..<20 {
            trace.after(ms: 110)
            trace.accept(0x30)
            trace.offerInVain()
        }
        let end = trace.time
        trace.after(ms: 10)
        trace.gap(cpu: 0)
        #expect(trace.outcome(window: 0...end).grade(.staleSVI) == .confirmed)
        #expect(trace.outcome().grade(.staleSVI) == .suspect)
    }

    @Test func `the report says how it was narrowed, in times of its own`() throws {
        let trace = twoVMs()
        #expect(trace.outcome().report.selection == nil)
        #expect(!trace.outcome().report.text(style: .init()).contains("Only of it"))
        let report = trace.outcome(window: 3000...5000, selection: .init(vm: 100, vcpu: 0)).report
        #expect(report.selection == .init(vm: 100, vcpu: 0, vms: ["process 100"], vcpus: [0], from: 3000, to: 5000))
        #expect(try SchemaValidator.complaints(about: report.json()) == nil)
        let text = report.text(style: .init(width: 200))
        #expect(text.contains("Only of it: process 100, vCPU 0, from +0.000003 s"))
        let open = trace.outcome(window: 3000...(.max)).report
        #expect(open.selection == .init(vm: nil, vcpu: nil, vms: [], vcpus: [], from: 3000, to: nil))
    }

    @Test func `VMs go by the report's own number and by their command too, and several add up`() {
        var trace = twoVMs()
        trace.info.commands[100] = "web01"
        func processes(_ words: String...) -> [Int32?] {
            trace.outcome(selection: Selection(vms: words.map { Selection.VM($0) })).report.vms.map(\.pid)
        }
        let all = trace.outcome().report.vms.map(\.pid)
        #expect(processes("VM 0") == [all[0]])
        #expect(processes("vm1") == [all[1]])
        #expect(processes("web01") == [100])
        #expect(processes("VM 0", "VM 1") == all)
        #expect(processes("db01") == [])
    }

    @Test func `observations are of what was chosen, too`() {
        var trace = Trace()
        trace.exitOfL1()
        for _ in 0..<200 {
            trace.emit(.exit(.init(reason: ExitReason.eptViolation.code, vcpu: 0, rip: 0x1000)))
            trace.emit(.pageFault(.init(vcpu: 0, address: 0x5000, errorCode: 1)))
            trace.enter()
        }
        let end = trace.time
        trace.thread(.vcpu1)
        trace.after(ms: 1)
        trace.exitOfL1()
        #expect(trace.outcome(selection: .init(vcpu: 0)).report.observations.count == 1)
        #expect(trace.outcome(selection: .init(vcpu: 1)).report.observations.isEmpty)
        #expect(trace.outcome(window: 0...end).report.observations.count == 1)
        #expect(trace.outcome(window: end + 1...(.max)).report.observations.isEmpty)
    }
}
