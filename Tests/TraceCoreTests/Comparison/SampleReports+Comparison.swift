// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// Reports to compare: of a host that lost 0x30, and of one on which it came. Nothing is missing in either.
extension SampleReports {
    static let losing = lost.with { report in
        report.limits = []
        report.unknowns = []
        report.recordCommand = nil
        report.findings[0].stuck = []
        report.observations = []
        report.source.path = "losing.dat"
    }

    /// 0x30 came 121 times, L2 used the APIC as before, and KVM has the fix.
    static let sound = losing.with { report in
        report.source.path = "sound.dat"
        report.verdict = .clean
        report.findings = []
        report.host.sviFix = .init(state: .present, basis: .behaviour, evidence: "0x30 was delivered")
        report.vms[0].vcpus[0].interrupts[0].ended.l2 = 121
        report.vms[0].vcpus[0].interrupts[0].acknowledged.l1 = 121
        report.vms[0].vcpus[0].interrupts[0].outstanding = 0
        report.vms[0].vcpus[0].interrupts[0].class = nil
    }

    /// L2 used the APIC by itself while APICv was active, and nothing more.
    static let exposed = losing.with { report in
        report.source.path = "exposed.dat"
        report.verdict = .exposed
        report.findings[0].rule = .l2APICDirect
        report.findings[0].grade = .exposed
        (report.findings[0].vectors, report.findings[0].crossings, report.findings[0].symptoms) = ([], [], [])
        report.vms[0].vcpus[0].interrupts = []
    }
}

extension Report {
    func with(_ change: (inout Report) -> Void) -> Report {
        var report = self
        change(&report)
        return report
    }

    /// Something makes it less than all that happened; no event would tell it.
    func doubting(_ sentence: String, record: [String] = []) -> Report {
        with { report in
            report.limits.append(sentence)
            report.unknowns.append(.init(text: sentence, record: record))
        }
    }

    /// A second VM, after the first.
    func addingVM(_ change: (inout Report.VM) -> Void) -> Report {
        with { report in
            var vm = report.vms[0]
            vm.id = report.vms.count
            change(&vm)
            report.vms.append(vm)
        }
    }
}
