// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// What the trace tells of the machine that ran KVM.
    public struct Host: Codable, Equatable, Sendable {
        public var isa: ISA
        public var sviFix: SVIFix
    }

    /// Whether KVM carries the stale-SVI fix (mainline 04bc93cf49d1), and how that is known.
    public struct SVIFix: Codable, Equatable, Sendable {
        public var state: FixState.State
        public var basis: FixState.Basis
        /// One line for people: the symbol, member, behaviour or release that it rests on.
        public var evidence: String
    }
}
