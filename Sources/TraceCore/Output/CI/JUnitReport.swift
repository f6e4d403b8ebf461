// SPDX-License-Identifier: Apache-2.0

/// Verdicts as JUnit XML, for CI that reads nothing else: a suite for each recording, a test case for each rule.
///
/// A rule fails where it has a finding at the grade that is asked for. Where the verdict is inconclusive, or the trace leaves a doubt
/// of its own, rules without a finding are skipped, and not passed; a recording that can't be read is an error.
public struct JUnitReport {
    private var suites: [String] = []
    private var total = Counts()

    private struct Counts {
        var tests = 0
        var failures = 0
        var errors = 0
        var skipped = 0

        var attributes: String {
            "tests=\"\(tests)\" failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\""
        }

        mutating func add(_ other: Counts) {
            tests += other.tests
            failures += other.failures
            errors += other.errors
            skipped += other.skipped
        }
    }

    /// - Parameter grade: the lowest that fails.
    public init(_ files: [AnalyzedFile], failOn grade: Grade) {
        for file in files { add(file, failOn: grade) }
    }

    public var text: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="apictrace" \(total.attributes)>
        \(suites.joined(separator: "\n"))
        </testsuites>

        """
    }

    private mutating func add(_ file: AnalyzedFile, failOn grade: Grade) {
        var counts = Counts()
        var cases: [String] = []
        switch file {
        case .failed(let path, let error):
            counts.tests = 1
            counts.errors = 1
            cases = [Self.testCase("read", of: path, "<error message=\"\(error.escapedXML)\"/>")]
        case .report(let report):
            let doubts = report.reasons + report.unknowns.filter { !$0.standing }.map(\.text)
            let isSettled = report.verdict != .inconclusive && report.unknowns.allSatisfy(\.standing)
            for rule in RuleID.allCases {
                counts.tests += 1
                let findings = report.findings.filter { $0.rule == rule && $0.grade >= grade }
                var outcome: String?
                if let gravest = findings.first {
                    counts.failures += 1
                    outcome = Self.failure(gravest, findings, of: report)
                } else if !isSettled {
                    counts.skipped += 1
                    outcome = "<skipped message=\"\(doubts.joined(separator: " ").escapedXML)\"/>"
                }
                cases.append(Self.testCase(rule.rawValue, of: file.path, outcome))
            }
        }
        total.add(counts)
        suites.append(
            """
              <testsuite name="\(file.path.escapedXML)" \(counts.attributes)>
            \(cases.joined(separator: "\n"))
              </testsuite>
            """)
    }

    private static func testCase(_ name: String, of path: String, _ outcome: String?) -> String {
        let head = "    <testcase classname=\"\(path.escapedXML)\" name=\"\(name.escapedXML)\""
        return outcome.map { "\(head)>\n      \($0)\n    </testcase>" } ?? "\(head)/>"
    }

    private static func failure(_ gravest: Report.Finding, _ findings: [Report.Finding], of report: Report) -> String {
        let times = TimeText(report.source)
        let words = findings.map { finding in
            let chain = finding.evidence.map { "  \(times.both($0.time)) \($0.event): \($0.text)" }
            return
                ([
                    "\(finding.grade.rawValue), \(report.name(of: finding)), since \(times.both(finding.first))",
                    finding.explanation, finding.advice,
                ] + chain).map(\.escapedXML).joined(separator: "\n")
        }
        let message = "\(gravest.grade.rawValue): \(gravest.explanation)".escapedXML
        return "<failure type=\"\(gravest.rule.rawValue)\" message=\"\(message)\">"
            + words.joined(separator: "\n\n") + "</failure>"
    }
}

extension String {
    /// As text or an attribute's value. What XML 1.0 knows no character for stands escaped, as on a terminal.
    fileprivate var escapedXML: String {
        var text = ""
        for scalar in printable.unicodeScalars {
            text.unicodeScalars.append(scalar == "\u{fffe}" || scalar == "\u{ffff}" ? "?" : scalar)
        }
        return text.escapedMarkup
    }
}
