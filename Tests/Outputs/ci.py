#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens what `apictrace analyze --sarif` and `--junit` wrote with sarif-tools and junitparser, and holds it against the reports.

usage: Tests/Outputs/ci.py SARIF JUNIT REPORTS     REPORTS: lines of `apictrace analyze --json`, for the same recordings

Ends with 77, and says why, where one of the packages is missing.
"""

import json
import pathlib
import sys

from browser import skip

LEVELS = {"confirmed": "error", "suspect": "error", "hazard": "warning", "exposed": "note"}

try:
    from junitparser import JUnitXml
    from sarif import loader
except ImportError as missing:
    skip(f"{missing.name} is missing (make browser)")


def main():
    sarif, junit, lines = sys.argv[1:]
    reports = [json.loads(line) for line in pathlib.Path(lines).read_text().splitlines()]
    findings = [finding for report in reports for finding in report.get("findings", [])]
    faults = []

    def equal(what, found, wanted):
        print(f"{'ok ' if found == wanted else 'NOT'} {what}" + ("" if found == wanted else f": {found!r}, and not {wanted!r}"))
        if found != wanted:
            faults.append(what)

    opened = loader.load_sarif_file(sarif)
    equal("tools", opened.get_distinct_tool_names(), ["apictrace"])
    equal("results", opened.get_result_count(), len(findings))
    severities = opened.get_report().get_issue_count_for_severity
    for level in ("error", "warning", "note"):
        equal(f"results that are {level}", severities(level), sum(LEVELS[finding["grade"]] == level for finding in findings))
    rules = sorted(result["ruleId"] for result in opened.get_results())
    equal("rules", rules, sorted(finding["rule"] for finding in findings))
    run = json.loads(pathlib.Path(sarif).read_text())["runs"][0]
    equal("artifacts", len(run["artifacts"]), len(reports))
    equal("successful", run["invocations"][0]["executionSuccessful"], all(report["type"] == "report" for report in reports))

    suites = list(JUnitXml.fromfile(junit))
    equal("suites", len(suites), len(reports))
    for suite, report in zip(suites, reports):
        if report["type"] == "error":
            equal(f"{suite.name}: errors", suite.errors, 1)
            continue
        failed = {finding["rule"] for finding in report["findings"]}
        equal(f"{suite.name}: failures", sorted(case.name for case in suite if case.result and case.result[0].type in failed),
              sorted(failed))
        if report["verdict"] == "inconclusive":
            equal(f"{suite.name}: skipped", suite.skipped, suite.tests - suite.failures)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
