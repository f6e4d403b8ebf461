// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// Something that helps whoever looks at the guest, and that has no grade.
    public struct Observation: Codable, Equatable, Sendable {
        public var kind: TraceCore.Observation.Kind
        /// ``VM/id``.
        @ExplicitNull public var vm: Int?
        /// ``VCPU/id``.
        @ExplicitNull public var vcpu: Int32?
        @ExplicitNull public var vector: String?
        public var first: UInt64
        public var last: UInt64
        /// Of what the text counts.
        public var count: UInt64
        /// What was seen, in a sentence; for people.
        public var text: String
    }

    /// How the user narrowed the report: nil what was not asked for.
    public struct Selection: Codable, Equatable, Sendable {
        /// The process and the vCPU, where just one was asked for, and by its number.
        @ExplicitNull public var vm: Int32?
        @ExplicitNull public var vcpu: Int32?
        /// As the user called them; empty where all are reported.
        public var vms: [String]
        public var vcpus: [Int32]
        @ExplicitNull public var from: UInt64?
        @ExplicitNull public var to: UInt64?
    }
}
