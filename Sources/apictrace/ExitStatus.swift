// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// How a command ends, for scripts: the table of the README.
///
/// In order from good to bad: of several files, and of all that may be said of a live trace, the worst counts. A loss that was
/// found outweighs a trace that settles nothing and a command that failed; an answer that is missing outweighs them all.
enum ExitStatus: Error, Comparable, CaseIterable {
    /// Also: every finding is below `--fail-on`; the second recording is not worse than the first.
    case clean
    /// Also: two recordings can't be compared.
    case inconclusive
    /// The traced command failed, was killed or could not be started.
    case commandFailed
    /// Also: the second recording is worse than the first.
    case found
    /// Input can't be read.
    case unreadable
    /// This host can't be traced.
    case untraceable
    /// A report, a recording or other output could not be written, or had no address.
    case unwritten
    case usage

    init(_ report: Report, failOn grade: Grade, allowsInconclusive: Bool = false) {
        if report.findings.contains(where: { $0.grade >= grade }) {
            self = .found
        } else {
            self = report.verdict == .inconclusive && !allowsInconclusive ? .inconclusive : .clean
        }
    }

    init(_ outcome: Comparison.Outcome) {
        switch outcome {
        case .same, .notWorse, .better: self = .clean
        case .worse, .mixed: self = .found
        case .incomparable: self = .inconclusive
        }
    }

    /// What an error that ends a command means; nil for the argument parser's.
    init?(_ error: any Error) {
        switch error {
        case let status as Self: self = status
        case is InputError: self = .unreadable
        case CutError.noFinding: self = .usage
        case is CutError: self = .inconclusive
        // Privileges that it can't get rid of: it does nothing with them.
        case is TracingUnavailable, is BPFError: self = .untraceable
        case is CommandFailure: self = .commandFailed
        case is TraceWriterError, is EncodingError, is AddressUnavailable: self = .unwritten
        case is TimeBoundError, is UnknownCommand, is UnknownVM, is UnknownEvent: self = .usage
        default: return nil
        }
    }

    var code: Int32 {
        switch self {
        case .clean: 0
        case .found: 1
        case .inconclusive: 2
        case .unreadable: 3
        case .untraceable: 4
        case .commandFailed: 5
        case .unwritten: 6
        case .usage: 64
        }
    }
}
