// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

@testable import TraceCore

/// A bundled recording of a real guest, with what that guest knew of itself beside it.
struct BundledRecording: CustomTestStringConvertible, Sendable {
    /// Vendor, kernel and name, e.g. `intel/6.1.192/stale-svi`.
    let name: String

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    var testDescription: String { name }
    var scenario: String { String(name.split(separator: "/").last ?? "") }
    var path: String { Self.folder.appending(path: name + ".dat").path }

    /// Every complete recording below a folder of the fixtures.
    static func all(below folder: String) -> [BundledRecording] {
        let root = Self.folder.appending(path: folder)
        let files = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".dat") && !$0.contains("truncated") }.sorted()
            .map { BundledRecording(name: "\(folder)/\($0.dropLast(4))") }
    }

    /// Several tests look at the same report, and the large recordings take seconds in debug.
    private static let reports = Mutex<[String: Report]>([:])

    func report() throws -> Report {
        if let known = Self.reports.withLock({ $0[name] }) { return known }
        let report = try Self.report(of: path, name: name)
        Self.reports.withLock { $0[name] = report }
        return report
    }

    static func report(of path: String, name: String? = nil) throws -> Report {
        var file = try Recording(path: path)
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        return ReportBuilder(analysis, totals: totals, path: name).report()
    }

    func truth<T: Decodable>(_ file: String, as type: T.Type) throws -> T {
        let url = Self.folder.appending(path: name).deletingLastPathComponent().appending(path: file)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(contentsOf: url))
    }
}
