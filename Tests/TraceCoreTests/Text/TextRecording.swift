// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// A text below Fixtures/text, and what a reader must make of it. Those of `case-` are one recording of an Intel host that lost
/// interrupts, in eleven layouts; the others were printed by the tools themselves on one of AMD, and the long ones cut.
struct TextRecording: CustomTestStringConvertible, Sendable {
    struct VM: Equatable, Sendable {
        var process: Int32?
        /// Threads by vCPU.
        var threads: [Int32: Int32]
        var command: String?

        init(_ process: Int32?, _ threads: [Int32: Int32], _ command: String? = nil) {
            (self.process, self.threads, self.command) = (process, threads, command)
        }
    }

    var name: String
    var printer: TextSurvey.Printer
    var unit = TraceClock.Unit.nanoseconds
    var verdict = Grade.clean
    var findings: Set<String> = []
    var vm: VM
    /// Events that gaps count, gaps that don't, and what the header says was overwritten.
    var lost: UInt64 = 0
    var uncounted: UInt64 = 0
    var overrun: UInt64?
    /// Words of its limits.
    var tells: [String] = []

    var testDescription: String { name }
    var path: String { TestFile.fixture("text/\(name).txt.zst") }

    init(
        _ name: String, by printer: TextSurvey.Printer, unit: TraceClock.Unit = .nanoseconds, verdict: Grade = .clean,
        findings: Set<String> = [], vm: VM, lost: UInt64 = 0, uncounted: UInt64 = 0, overrun: UInt64? = nil,
        tells: [String] = []
    ) {
        self.name = name
        self.printer = printer
        self.unit = unit
        self.verdict = verdict
        self.findings = findings
        self.vm = vm
        self.lost = lost
        self.uncounted = uncounted
        self.overrun = overrun
        self.tells = tells
    }

    private static let loss: Set = ["stale-svi:hazard", "l2-apic-direct:exposed"]

    static let all: [TextRecording] = [

        ]
}
