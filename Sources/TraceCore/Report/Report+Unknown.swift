// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// What a report or a finding can't show.
    public struct Unknown: Codable, Equatable, Sendable {
        /// A sentence; for people.
        public var text: String
        /// Events that would show it, as trace-cmd takes them: `kvm:kvm_eoi`.
        public var record: [String]
        /// It holds for any recording of its kind, whatever happened: no reason to doubt this one.
        public var standing: Bool

        public init(text: String, record: [String] = [], standing: Bool = false) {
            self.text = text
            self.record = record
            self.standing = standing
        }

        init(_ limit: Limit) {
            self.init(text: limit.text, record: limit.missing.recordNames, standing: limit.isStanding)
        }
    }
}
