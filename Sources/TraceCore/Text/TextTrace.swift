// SPDX-License-Identifier: Apache-2.0

/// KVM's events as text: what trace-cmd report, tracefs and perf script print, pasted into a mail or not.
///
/// Read from start to end with memory that doesn't grow with the file. What isn't an event is passed over.
public struct TextTrace: TraceSource {
    public let info: TraceInfo
    private let file: InputFile
    private let survey: TextSurvey
    private let cut: TraceCut?

    /// - Parameters:
    ///   - file: of text, in UTF-8.
    ///   - cut: damage that was met before, in unpacking the file.
    /// - Throws: where there is no event of KVM's in it, with what to do.
    init(_ file: InputFile, cut: TraceCut?) throws(InputError) {
        let survey = TextSurvey(file)
        if let foreign = ForeignFormat(architecture: survey.architecture ?? survey.otherMachine) {
            throw .foreign(file: file.name, foreign)
        }
        guard survey.events > 0 else { throw .foreign(file: file.name, .text) }
        self.file = file
        self.survey = survey
        self.cut = cut
        info = survey.info
    }

    public func begin() -> UInt64 { survey.first ?? 0 }

    /// On the caller's thread, whatever `threads` is.
    public func read<S: EventSink & ~Copyable>(
        into sink: inout S, threads: Int, progress: ((_ read: UInt64, _ total: UInt64) -> Void)?
    ) throws(InputError) -> TraceTotals {
        var reading = TextReading(file, survey, progress: progress.map { ReadProgress(total: file.size, show: $0) })
        sink.started(at: begin())
        reading.run(into: &sink)
        var totals = reading.totals
        totals.cut = [cut, totals.cut].compactMap(\.self).min { $0.offset < $1.offset }
        if totals.byName.isEmpty { try file.probe(reading.offset) }
        return totals
    }
}

extension TextSurvey {
    var info: TraceInfo {
        let clock =
            switch unit {
            case .nanoseconds: TraceClock(name: TraceClock.unknown, unit: .nanoseconds)
            case .bare: TraceClock(name: TraceClock.unknown, unit: .ticks)
            case nil: TraceClock(name: "none", unit: .none)
            }
        var info = TraceInfo(
            format: printer == .unknown ? "text" : "text of \(printer.rawValue)", clock: clock, cpus: cpus)
        info.kernel = release.map { ["Linux", "(none)", $0, architecture].compactMap(\.self).joined(separator: " ") }
        info.isa = isa
        // What shows was on; what doesn't may have been off.
        info.describesWholeKernel = selection == nil
        info.recordedKinds = selection ?? kinds
        info.formatFields = fields
        info.inhibitNames = inhibitNames
        info.commands = commands
        return info
    }
}
