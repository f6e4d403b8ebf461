// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
public import TraceCore

extension Report {
    /// The report as a page of its own, with tables and a time line: it loads nothing, and asks for nothing but a browser.
    ///
    /// Everything that the page shows it is given as JSON, which stands in it as data. Nothing of the recording becomes markup or script.
    ///
    /// - Parameter timeline: of the same analysis.
    public func html(_ timeline: borrowing Timeline) throws -> String {
        let vcpus = vms.reduce(0) { $0 + $1.vcpus.count }
        let snapshot = timeline.snapshot(
            of: self, buckets: PageSize.buckets(vcpus: vcpus), events: PageSize.events(vcpus: vcpus))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(PageData(report: self, timeline: snapshot, headline: headline))
        let parts = [
            "page.css": Self.text(PackageResources.page_css), "mail": mail().escapedMarkup,
            "data": String(decoding: data, as: UTF8.self).escapedJSON.escapedInScript,
            "script": Self.scripts.map(Self.text).joined(separator: "\n"),
        ]
        return Self.text(PackageResources.page_html).filled(with: parts)
    }

    private static let scripts = [
        PackageResources.words_js, PackageResources.tables_js, PackageResources.findings_js, PackageResources.pen_js,
        PackageResources.timeline_js, PackageResources.main_js,
    ]

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

private struct PageData: Encodable {
    let report: Report
    let timeline: TimelineSnapshot
    let headline: String
}

/// What a page has of each vCPU, so that one of many vCPUs stays below 5 MB.
private enum PageSize {
    private static let allBuckets = 8192
    private static let allEvents = 16384

    static func buckets(vcpus: Int) -> Int { min(512, max(16, allBuckets / max(1, vcpus))) }
    static func events(vcpus: Int) -> Int { min(4096, max(32, allEvents / max(1, vcpus))) }
}

extension String {
    /// `{{name}}` becomes the text of that name. What is put in is not looked at again.
    fileprivate func filled(with parts: [String: String]) -> String {
        var filled = ""
        var rest = self[...]
        while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
            filled += rest[..<open.lowerBound]
            filled += parts[String(rest[open.upperBound..<close.lowerBound])] ?? ""
            rest = rest[close.upperBound...]
        }
        return filled + rest
    }

    /// JSON within a script element: without `<` nothing in it ends the element or begins a comment.
    fileprivate var escapedInScript: String {
        // By bytes: with a combining mark behind it the sign would be another character.
        var escaped: [UInt8] = []
        escaped.reserveCapacity(utf8.count)
        for byte in utf8 {
            if byte == UInt8(ascii: "<") { escaped += "\\u003c".utf8 } else { escaped.append(byte) }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
