// SPDX-License-Identifier: Apache-2.0

extension TextPage {
    private static let column = 12
    private static let shown = 8

    /// What was noticed beside the findings.
    mutating func add(observationsOf report: Report, times: TimeText) {
        guard !report.observations.isEmpty else { return }
        blank()
        for observation in report.observations.prefix(style.shown(Self.shown)) {
            let who =
                observation.vm == nil ? "" : report.name(ofVM: observation.vm, vcpu: observation.vcpu) + ": "
            add(
                "\(who)\(observation.text) From \(times.both(observation.first)) to \(times.both(observation.last)).",
                label: "Noticed", indent: 2, column: Self.column, ink: .bold)
        }
        if report.observations.count > style.shown(Self.shown) {
            add("and \(report.observations.count - Self.shown) more: --json has them all", indent: Self.column)
        }
    }
}
