// SPDX-License-Identifier: Apache-2.0

/// What became of one of the recordings that were asked for, for outputs that tell of all of them.
public enum AnalyzedFile: Sendable {
    case report(Report)
    /// It can't be read.
    case failed(path: String, error: String)

    /// As the user gave it; `-` for standard input.
    var path: String {
        switch self {
        case .report(let report): report.source.path ?? "-"
        case .failed(let path, _): path
        }
    }
}
