// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// What the trace tells of the machine that ran KVM.
    public struct Host: Codable, Equatable, Sendable {
        public var isa: ISA
        public var sviFix: SVIFix
    }

    public enum ISA: String, CaseIterable, Codable, Sendable {
        case vmx, svm, pvm, unknown
    }

    /// Whether KVM carries the stale-SVI fix (mainline 04bc93cf49d1), and how that is known.
    public struct SVIFix: Codable, Equatable, Sendable {
        public var state: FixState
        public var basis: FixBasis
        /// One line for people: the symbol, member, behaviour or release that it rests on.
        public var evidence: String
    }

    public enum FixState: String, CaseIterable, Codable, Sendable {
        case present, absent, unknown
    }

    /// From the strongest to the weakest; only the first three change grades.
    public enum FixBasis: String, CaseIterable, Codable, Sendable {
        case kallsyms, btf, behaviour, format, release
    }
}
