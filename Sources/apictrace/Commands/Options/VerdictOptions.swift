// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// What the verdict makes of the exit status.
struct VerdictOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The lowest grade of a finding that makes the exit status 1. An inconclusive verdict without such a finding stays 2, "
                + "whatever is given here; see --allow-inconclusive.", valueName: "grade"))
    var failOn = Grade.exposed

    @Flag(help: "End with 0 where the verdict is inconclusive, for who wants to hear of findings alone.")
    var allowInconclusive = false

    func validate() throws {
        guard failOn != .clean else {
            throw ValidationError("--fail-on clean would fail always; the lowest is inconclusive.")
        }
        guard !allowInconclusive || failOn != .inconclusive else {
            throw ValidationError("--fail-on inconclusive and --allow-inconclusive ask for opposite things.")
        }
    }

    func status(of report: Report) -> ExitStatus {
        ExitStatus(report, failOn: failOn, allowsInconclusive: allowInconclusive)
    }
}
