// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct ExplanationTests {
    @Test(arguments: RuleID.allCases)
    func `a page fits the width and names its commits alike`(rule: RuleID) {
        let explanation = rule.explanation
        let text = explanation.text(of: rule, style: .init())
        #expect(text.split(separator: "\n").filter { $0.count > 100 } == [])
        #expect(text.hasPrefix("\(rule.rawValue)  \(explanation.title)\n"))
        for reference in explanation.references {
            #expect(
                reference.wholeMatch(
                    of: /https:\/\/(lore\.kernel\.org\/kvm\/\S+@\S+\/|git\.kernel\.org\/linus\/[0-9a-f]{12})/) != nil)
        }
    }

    @Test func `the list has one line for each rule`() {
        let lines = Explanation.list(style: .init()).split(separator: "\n")
        #expect(lines.count == RuleID.allCases.count)
        #expect(
            lines.contains(
                "stale-svi              An interrupt acknowledged at one level and ended at the other blocks others"))
    }

    @Test func `a crossing needs both levels, both ends and the state of APICv`() {
        #expect(
            RuleID.staleSVI.explanation.requiredEvents.isSuperset(
                of: EventKindSet(.nestedVMExit, .nestedVMEnter, .injVIRQ, .eoi, .apicAcceptIRQ, .apicvInhibitChanged)))
    }

    @Test func `the record command names the system of each event`() {
        #expect(
            EventKindSet(.exit, .handleMMIOPageFault, .nestedVMEnter).recordCommand
                == "trace-cmd record -b 16384 -e kvm:kvm_exit -e kvm:kvm_nested_vmenter -e kvmmmu:handle_mmio_page_fault"
        )
    }
}
