// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing
import TraceCore

@testable import apictrace

@Suite struct ExitStatusTests {
    /// Verdict and graded findings of a report, `--fail-on`, exit status.
    @Test(arguments: [
        (Grade.clean, [Grade](), Grade.exposed, Int32(0)),
        (.inconclusive, [], .exposed, 2),
        (.inconclusive, [.inconclusive], .exposed, 2),
        (.inconclusive, [.inconclusive], .inconclusive, 1),
        (.inconclusive, [], .inconclusive, 2),
        (.exposed, [.exposed], .exposed, 1),
        (.exposed, [.exposed], .hazard, 0),
        (.confirmed, [.confirmed, .exposed], .suspect, 1),
    ])
    func `a report's status follows its findings`(verdict: Grade, findings: [Grade], failOn: Grade, code: Int32) throws
    {
        let report = try Self.report(verdict: verdict, findings: findings)
        #expect(apictrace.ExitStatus(report, failOn: failOn).code == code)
    }

    @Test func `of several files, and of all that befell a live trace, the worst counts`() {
        #expect(apictrace.ExitStatus.allCases.shuffled().sorted().map(\.code) == [0, 2, 5, 1, 3, 4, 6, 64])
    }

    @Test func `inconclusive is as good as clean for who says so, and nothing else is`() throws {
        let inconclusive = try Self.report(verdict: .inconclusive, findings: [])
        #expect(apictrace.ExitStatus(inconclusive, failOn: .exposed, allowsInconclusive: true) == .clean)
        let found = try Self.report(verdict: .hazard, findings: [.hazard, .inconclusive])
        #expect(apictrace.ExitStatus(found, failOn: .exposed, allowsInconclusive: true) == .found)
    }

    @Test(
        arguments: [
            (TracingUnavailable.failed(BPFError("capset", code: EPERM)), 4), (BPFError("prctl", code: EINVAL), 4),
            (TraceWriterError(file: "a", what: "can't be written", reason: "Input/output error"), 6),
            (CommandFailure.killed("qemu", signal: SIGKILL), 5),
            (InputError.inflatesTooFar(file: "a", bytes: 1), 3),
        ] as [(any Error, Int32)])
    func `no error that ends a command passes for a finding, and each is reported in words`(
        error: any Error, code: Int32
    ) {
        #expect(apictrace.ExitStatus(error)?.code == code)
        // The name of a type is for who wrote it.
        #expect(!"\(error)".contains("Error(") && !"\(error)".contains("failed("))
    }

    private static func report(verdict: Grade, findings: [Grade]) throws -> Report {
        let findings = findings.map { grade in
            """
            {"id": "1", "rule": "stale-svi", "grade": "\(grade.rawValue)", "vm": null, "vcpu": null, "first": 0, "last": 0,
             "count": 1, "inferred": false, "registers": {}, "vectors": [], "stuck": [], "crossings": [], "symptoms": [],
             "evidenceTotal": 0, "evidence": [], "explanation": "-", "advice": "-", "references": [], "limits": [], "unknowns": []}
            """
        }
        return try Report(
            json: """
                {"schemaVersion": "1.3", "tool": {"name": "apictrace", "version": "0"},
                 "source": {"path": null, "format": "test", "kernel": "", "clock": {"name": "local", "unit": "ns"},
                  "cpus": 1, "eventsSelected": null, "cut": null, "events": {"total": 0, "byName": {}},
                  "span": {"base": "0", "first": 0, "last": 0}},
                 "loss": {"known": 0, "unknownGaps": 0, "overrun": null, "gapsTotal": 0, "gaps": []},
                 "host": {"isa": "vmx", "sviFix": {"state": "unknown", "basis": "release", "evidence": ""}},
                 "selection": null, "reasons": [], "observations": [],
                 "verdict": "\(verdict.rawValue)", "findings": [\(findings.joined(separator: ","))], "vms": [],
                 "limits": [], "unknowns": [], "recordCommand": null}
                """)
    }
}
