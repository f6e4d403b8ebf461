// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// How a command ends, for scripts; wrong usage (64) is the argument parser's.
///
/// In order from good to bad: of several files the worst one counts. A loss that was found outweighs a trace that
/// settles nothing, and an answer that is missing outweighs both.
enum ExitStatus: Comparable {
    case clean, inconclusive, found, unreadable, untraceable

    init(_ report: Report, failOn grade: Grade) {
        if report.findings.contains(where: { $0.grade >= grade }) {
            self = .found
        } else {
            self = report.verdict == .inconclusive ? .inconclusive : .clean
        }
    }

    var code: Int32 {
        switch self {
        case .clean: 0
        case .found: 1
        case .inconclusive: 2
        case .unreadable: 3
        case .untraceable: 4
        }
    }
}
