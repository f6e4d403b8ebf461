// SPDX-License-Identifier: Apache-2.0

/// One thing that live tracing needs or profits from, as it is on this host.
struct DoctorCheck: Codable, Equatable {
    enum State: String, Codable {
        /// As it should be.
        case ok
        /// Tracing works; something is missing or worth knowing.
        case note
        /// Tracing can't work.
        case failed
    }

    /// Stable, kebab-case.
    var name: String
    var state: State
    var finding: String
    /// What to do; nil where nothing needs doing.
    var advice: String?

    init(_ name: String, _ state: State, _ finding: String, advice: String? = nil) {
        self.name = name
        self.state = state
        self.finding = finding
        self.advice = advice
    }
}
