// SPDX-License-Identifier: Apache-2.0

@testable import TraceCore

/// What is made of a text.
enum TestText {
    static func report(_ bytes: some Sequence<UInt8>) throws -> Report { try report(TestFile.open(bytes)) }

    static func report(_ text: String) throws -> Report { try report(Array(text.utf8)) }

    static func report(_ file: Recording) throws -> Report {
        var file = file
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        return ReportBuilder(analysis, totals: totals, path: nil).report()
    }

    /// A file that is compressed, as it was before.
    static func inflated(_ path: String) throws -> [UInt8] {
        let file = try InputFile(path: path).inflated(.zstd, InflationLimit()) { _ in .max }.file
        return file.bytes(at: 0, count: Int(file.size))
    }
}

extension Report {
    /// What was found, and how sure that is.
    var graded: Set<String> { Set(findings.map { "\($0.rule.rawValue):\($0.grade.rawValue)" }) }
}
