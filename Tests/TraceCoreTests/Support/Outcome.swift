// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// What came of a trace written by hand.
struct Outcome {
    let vms: [VirtualMachine]
    let vcpus: [VCPU]
    let unattributed: UInt64
    let findings: [RuleFinding]
    let fix: FixState
    let doubts: [Coverage.Doubt]
    let report: Report

    init(_ analysis: consuming Analysis, _ totals: TraceTotals, _ selection: Selection) {
        vms = analysis.machine.vms.elements
        vcpus = analysis.machine.vcpus.elements
        unattributed = analysis.machine.unattributed
        fix = analysis.rules.fixState(in: analysis.machine)
        findings = analysis.rules.findings(in: analysis.machine, fix: fix)
        doubts = Coverage(analysis.machine, totals, fix: fix, isWindowEmpty: analysis.isWindowEmpty).doubts
        report = ReportBuilder(analysis, totals: totals, path: nil, selection: selection).report()
    }

    var verdict: Grade { report.verdict }

    /// The finding of a rule, where it is the only one of that rule.
    func finding(_ rule: RuleID) -> RuleFinding? {
        let all = findings.filter { $0.rule == rule }
        return all.count == 1 ? all.first : nil
    }

    func grade(_ rule: RuleID) -> Grade? { finding(rule)?.grade }

    /// The vectors that stale-svi says were lost; nil where it found nothing.
    var lostToStaleSVI: [UInt8]? { finding(.staleSVI)?.vectors }

    /// Who belongs together: the vCPU ids and threads of each VM that ran.
    var members: [[Int32: Int32]] {
        vms.map { vm in
            vm.vcpus.reduce(into: [:]) { members, index in
                if let id = vcpus[index.place].id, let tid = vcpus[index.place].tid { members[id] = tid }
            }
        }
    }

    /// A vector's account on the first vCPU.
    subscript(vector: UInt8) -> VectorAccount { vcpus.first?.ledger[vector] ?? VectorAccount() }
}
