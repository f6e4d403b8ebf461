// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// One cause, one finding: what becomes of the other's facts and doubts.
@Suite struct RuleFindingTests {
    private func finding(_ rule: RuleID, _ grade: Grade, count: UInt64, limit: String) -> RuleFinding {
        var finding = RuleFinding(
            rule: rule, grade: grade, vm: 0, vcpu: 0, first: 10, last: 20, count: count, statement: "\(count).")
        finding.limits = [Limit(limit)]
        return finding
    }

    private func absorbing(_ grade: Grade, _ other: Grade) -> RuleFinding {
        var finding = finding(.staleSVI, grade, count: 1, limit: "a")
        finding.absorb(self.finding(.lostAccept, other, count: 2, limit: "b"))
        return finding
    }

    @Test func `of two of one grade the doubts of both stand`() {
        let finding = absorbing(.suspect, .suspect)
        #expect(finding.limits == ["a", "b"])
        #expect(finding.count == 1)
    }

    @Test func `a graver one brings its count and its doubts, which are the ones that are left`() {
        let finding = absorbing(.hazard, .confirmed)
        #expect(finding.grade == .confirmed)
        #expect(finding.limits == ["b"])
        #expect(finding.count == 2)
    }

    @Test func `a lesser one's doubts no longer stand`() {
        #expect(absorbing(.confirmed, .hazard).limits == ["a"])
        #expect(absorbing(.confirmed, .hazard).count == 1)
    }

    @Test func `another rule's becomes a symptom, reported once`() {
        var finding = absorbing(.suspect, .suspect)
        finding.absorb(self.finding(.lostAccept, .hazard, count: 3, limit: "c"))
        #expect(finding.symptoms == [.lostAccept])
        #expect(finding.statement == "1. 2. 3.")
    }

    @Test func `evidence keeps its beginning and the latest steps of the story`() {
        var log = EvidenceLog()
        for time in 1...40 as ClosedRange<UInt64> {
            log.add("kvm_eoi", at: EventStamp(time: time, cpu: 0, tid: 1), isKey: time % 2 == 0, "")
        }
        #expect(log.entries.map(\.stamp.time) == Array(1...24) + [26, 28, 30, 32, 34, 36, 38, 40])
        for time in 41...44 as ClosedRange<UInt64> {
            log.add("kvm_eoi", at: EventStamp(time: time, cpu: 0, tid: 1), isKey: true, "")
        }
        #expect(log.entries.suffix(8).map(\.stamp.time) == [34, 36, 38, 40, 41, 42, 43, 44])
        #expect(log.total == 44)
    }
}
