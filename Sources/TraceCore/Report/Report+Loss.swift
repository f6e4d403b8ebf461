// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// Events that happened and were not recorded.
    public struct Loss: Codable, Equatable, Sendable {
        /// Sum of the counts that pages of the trace carry: a lower bound.
        public var known: UInt64
        /// Gaps without a count.
        public var unknownGaps: UInt64
        /// The recorder's own statistics (overrun, commit overrun and dropped events); nil where it kept none.
        @ExplicitNull public var overrun: UInt64?
        /// How many of them were of VMs that are known to have lost them, see ``VM/eventsLost``; nil, and no key, for none. The
        /// others may have been anybody's.
        public var ofVMs: UInt64?
        public var gapsTotal: UInt64
        /// The first of them.
        public var gaps: [Gap]
    }

    /// A hole in one CPU's stream, or in the events of one process; at the trace's edge it reaches to ``Span/first`` or ``Span/last``.
    public struct Gap: Codable, Equatable, Sendable {
        /// Index of the buffer instance, 0 for the top buffer.
        public var instance: Int
        /// With a process: one of those that it lost something on.
        public var cpu: Int32
        /// Whose events were lost, on whatever CPU; nil, and no key, where that is not known.
        public var process: Int32?
        public var from: UInt64
        public var to: UInt64
        @ExplicitNull public var events: UInt64?
    }
}
