// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// Where the events came from and how far they could be read.
    public struct Source: Codable, Equatable, Sendable {
        /// Nil for standard input and for live tracing.
        @ExplicitNull public var path: String?
        /// Container, version and compression, e.g. `trace.dat v7 zstd`.
        public var format: String
        /// The traced host's `uname` line; empty where the trace has none.
        public var kernel: String
        public var clock: Clock
        public var cpus: Int
        /// Tracepoints that were recorded, sorted; nil where the trace can't tell.
        @ExplicitNull public var eventsSelected: [String]?
        @ExplicitNull public var cut: Cut?
        public var events: EventTotals
        public var span: Span
    }

    public struct Clock: Codable, Equatable, Sendable {
        /// As in tracefs' `trace_clock`.
        public var name: String
        public var unit: TraceClock.Unit
    }

    /// The first byte at which a file could not be read or makes no sense, and what should have been there.
    public struct Cut: Codable, Equatable, Sendable {
        public var offset: UInt64
        public var expected: String
    }

    /// Every record that was read, whatever the machine took of it.
    public struct EventTotals: Codable, Equatable, Sendable {
        public var total: UInt64
        public var byName: [String: UInt64]
    }

    /// The time that the trace covers.
    public struct Span: Codable, Equatable, Sendable {
        /// The trace clock's time that all others count from: a decimal string, for it may pass 2^53.
        public var base: String
        public var first: UInt64
        public var last: UInt64
    }
}
