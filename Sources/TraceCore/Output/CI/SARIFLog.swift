// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// Findings as SARIF 2.1.0 (OASIS, sarif-v2.1.0): one run for all recordings, each of them an artifact. Property names are SARIF's.
///
/// A finding is a result, at the level of its grade. A verdict without findings that is not clean, and a file that can't be read, are
/// notifications of the run, so that nobody takes the absence of results for a clean bill.
public struct SARIFLog: Encodable {
    private let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    private let version = "2.1.0"
    private let runs: [Run]

    private enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case version, runs
    }

    public init(_ files: [AnalyzedFile]) {
        runs = [Run(files)]
    }

    public func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self).escapedJSON + "\n"
    }
}

extension SARIFLog {
    fileprivate struct Run: Encodable {
        let tool: Tool
        let invocations: [Invocation]
        let artifacts: [Artifact]
        let results: [Result]
        let columnKind = "utf16CodeUnits"

        init(_ files: [AnalyzedFile]) {
            tool = Tool()
            invocations = [Invocation(files)]
            artifacts = files.map(Artifact.init)
            results = files.enumerated().flatMap { index, file -> [Result] in
                guard case .report(let report) = file else { return [] }
                return report.findings.map { Result($0, of: report, artifact: index) }
            }
        }
    }

    fileprivate struct Message: Encodable {
        let text: String
    }

    fileprivate struct Tool: Encodable {
        struct Driver: Encodable {
            let name = Report.Tool.current.name
            let version = Report.Tool.current.version
            let rules = RuleID.allCases.map(Rule.init)
        }

        struct Rule: Encodable {
            struct Configuration: Encodable {
                let level: String
            }

            let id: String
            let shortDescription: Message
            let fullDescription: Message
            let help: Message
            let helpUri: String?

            init(_ rule: RuleID) {
                let explanation = rule.explanation
                id = rule.rawValue
                shortDescription = Message(text: explanation.title + ".")
                fullDescription = Message(text: explanation.summary)
                help = Message(text: explanation.text(of: rule, style: TextStyle()))
                helpUri = explanation.references.first
            }
        }

        let driver = Driver()
    }

    fileprivate struct Invocation: Encodable {
        struct Notification: Encodable {
            let level: String
            let message: Message
            let locations: [Location]
        }

        let executionSuccessful: Bool
        let toolExecutionNotifications: [Notification]

        init(_ files: [AnalyzedFile]) {
            var isSuccessful = true
            var notifications: [Notification] = []
            for (index, file) in files.enumerated() {
                let locations = [Location(artifact: index, of: file.path)]
                switch file {
                case .failed(_, let error):
                    isSuccessful = false
                    notifications.append(.init(level: "error", message: Message(text: error), locations: locations))
                case .report(let report):
                    if report.verdict == .inconclusive {
                        let text = ([report.verdictLine] + report.reasons).joined(separator: " ")
                        notifications.append(
                            .init(level: "warning", message: Message(text: text), locations: locations))
                    }
                    for unknown in report.unknowns where !unknown.standing {
                        notifications.append(
                            .init(level: "note", message: Message(text: unknown.text), locations: locations))
                    }
                }
            }
            (executionSuccessful, toolExecutionNotifications) = (isSuccessful, notifications)
        }
    }

    fileprivate struct Artifact: Encodable {
        let location: ArtifactLocation
        let description: Message?

        init(_ file: AnalyzedFile) {
            location = ArtifactLocation(uri: file.path.asURI, index: nil)
            if case .report(let report) = file {
                description = Message(text: "\(report.source.format), \(report.source.kernel)".printable)
            } else {
                description = nil
            }
        }
    }

    fileprivate struct ArtifactLocation: Encodable {
        let uri: String
        let index: Int?
    }

    fileprivate struct Location: Encodable {
        struct Physical: Encodable {
            let artifactLocation: ArtifactLocation
        }

        struct Logical: Encodable {
            let name: String
            let fullyQualifiedName: String
            let kind: String
        }

        let physicalLocation: Physical
        var logicalLocations: [Logical]?
        var message: Message?

        init(artifact: Int, of path: String) {
            physicalLocation = Physical(artifactLocation: ArtifactLocation(uri: path.asURI, index: artifact))
        }
    }

    fileprivate struct Result: Encodable {
        struct ThreadFlow: Encodable {
            struct Step: Encodable {
                let location: Location
            }

            let locations: [Step]
        }

        struct CodeFlow: Encodable {
            let threadFlows: [ThreadFlow]
        }

        struct Properties: Encodable {
            let grade: String
            let first: UInt64
            let last: UInt64
            let count: UInt64
            let vectors: [String]
            let stuck: [String]
        }

        let ruleId: String
        let ruleIndex: Int?
        let level: String
        let message: Message
        let locations: [Location]
        let codeFlows: [CodeFlow]?
        let partialFingerprints: [String: String]
        let properties: Properties

        init(_ finding: Report.Finding, of report: Report, artifact: Int) {
            let times = TimeText(report.source)
            let path = report.source.path ?? "-"
            ruleId = finding.rule.rawValue
            ruleIndex = RuleID.allCases.firstIndex(of: finding.rule)
            level = finding.grade.levelOfSARIF
            message = Message(
                text: "\(finding.grade.rawValue), \(report.name(of: finding)), since \(times.both(finding.first)): "
                    .printable + "\(finding.explanation) \(finding.advice)")
            var location = Location(artifact: artifact, of: path)
            location.logicalLocations = Self.logicalLocations(of: finding)
            locations = [location]
            let steps = finding.evidence.map { evidence in
                var place = Location(artifact: artifact, of: path)
                place.message = Message(
                    text: "\(times.both(evidence.time)) \(evidence.event): \(evidence.text)".printable)
                return ThreadFlow.Step(location: place)
            }
            codeFlows = steps.isEmpty ? nil : [CodeFlow(threadFlows: [ThreadFlow(locations: steps)])]
            let place = location.logicalLocations?.map(\.fullyQualifiedName).joined(separator: " ") ?? ""
            partialFingerprints = ["apictrace/v1": "\(finding.rule.rawValue) \(finding.grade.rawValue) \(place)"]
            properties = Properties(
                grade: finding.grade.rawValue, first: finding.first, last: finding.last, count: finding.count,
                vectors: finding.vectors, stuck: finding.stuck)
        }

        /// `vm0/vcpu1/0x30`: a vector is on a vCPU, a vCPU in a VM.
        private static func logicalLocations(of finding: Report.Finding) -> [Location.Logical] {
            let vm = finding.vm.map { "vm\($0)" } ?? "trace"
            guard let id = finding.vcpu else { return [.init(name: vm, fullyQualifiedName: vm, kind: "vm")] }
            let vcpu = "\(vm)/vcpu\(id)"
            guard !finding.vectors.isEmpty else {
                return [.init(name: "vcpu\(id)", fullyQualifiedName: vcpu, kind: "vcpu")]
            }
            return finding.vectors.map { .init(name: $0, fullyQualifiedName: "\(vcpu)/\($0)", kind: "vector") }
        }
    }
}

extension Grade {
    fileprivate var levelOfSARIF: String {
        switch self {
        case .confirmed, .suspect: "error"
        case .hazard: "warning"
        case .exposed, .inconclusive, .clean: "note"
        }
    }
}

extension String {
    /// A path as RFC 3986 has it: everything but letters, digits, and what parts folders in `%xx`.
    fileprivate var asURI: String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
        let path = utf8.map { byte -> String in
            if plain.contains(byte) { return String(Unicode.Scalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
        return hasPrefix("/") ? "file://" + path : path
    }
}
