// SPDX-License-Identifier: Apache-2.0

/// Samples that have a name, a meaning and a unit in common, in either of the formats that monitoring reads.
struct MetricFamily {
    enum Kind: String {
        case counter, gauge
        /// Nothing but labels.
        case info
    }

    /// Without the ending that the kind adds.
    var name: String
    var kind: Kind
    /// A base unit, which the name ends with.
    var unit: String?
    /// A sentence.
    var help: String
    private var samples: [(labels: String, value: String)] = []

    init(_ name: String, _ kind: Kind, unit: String? = nil, _ help: String) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
    }

    mutating func add(_ value: UInt64, _ labels: KeyValuePairs<String, String> = [:]) {
        add("\(value)", labels)
    }

    mutating func add(nanoseconds: UInt64, _ labels: KeyValuePairs<String, String> = [:]) {
        let fraction = String(nanoseconds % 1_000_000_000)
        let digits = String(repeating: "0", count: 9 - fraction.count) + fraction
        add("\(nanoseconds / 1_000_000_000).\(digits)", labels)
    }

    private mutating func add(_ value: String, _ labels: KeyValuePairs<String, String>) {
        let pairs = labels.map { "\($0.key)=\"\($0.value.printable.escapedLabel)\"" }.joined(separator: ",")
        samples.append((pairs.isEmpty ? "" : "{\(pairs)}", value))
    }

    func text(_ format: MetricsPage.Format) -> String {
        let ending =
            switch kind {
            case .counter: "_total"
            case .gauge: ""
            case .info: "_info"
            }
        var lines: [String]
        switch format {
        case .openMetrics:
            lines = ["# TYPE \(name) \(kind.rawValue)"]
            if let unit { lines.append("# UNIT \(name) \(unit)") }
            lines.append("# HELP \(name) \(help)")
        case .prometheus:
            // It names a family as its samples, and knows no info.
            lines = [
                "# HELP \(name)\(ending) \(help)", "# TYPE \(name)\(ending) \(kind == .counter ? "counter" : "gauge")",
            ]
        }
        return (lines + samples.map { "\(name)\(ending)\($0.labels) \($0.value)" }).map { $0 + "\n" }.joined()
    }
}

extension String {
    /// Between the quotes of a label. Line breaks are no concern: ``printable`` has none.
    fileprivate var escapedLabel: String {
        var text = ""
        for scalar in unicodeScalars {
            if scalar == "\\" || scalar == "\"" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}
