// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// Where live tracing writes what was seen.
struct RecordOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp(
            "Also write what was seen to a trace.dat. - is standard output, all else then goes to standard error.",
            valueName: "file"), completion: .file())
    var record: String?

    @Option(
        help: ArgumentHelp(
            "Also write what was seen to files in this folder, one after the other, each a trace.dat by itself. It is made where it "
                + "isn't there.", valueName: "folder"), completion: .directory)
    var recordDir: String?

    @Option(
        help: ArgumentHelp(
            "With --record-dir: another file begins where one has this size (K, M, G: powers of 1024), 256M without it.",
            valueName: "size"))
    var rotateSize: ByteCount?

    @Option(
        help: ArgumentHelp(
            "With --record-dir: another file begins where there is something in one and it is so old (s, m, h, d), whatever its age "
                + "without it.", valueName: "time"))
    var rotateTime: Period?

    @Option(
        help: ArgumentHelp(
            "With --record-dir: so many files stay, with the one that is written; the oldest recordings that live has made there are "
                + "removed. All stay without it.", valueName: "count"))
    var keep: Int?

    @Option(
        help: ArgumentHelp(
            "With --record-dir: keep so much time in memory alone (s, m, h), and write it to a file when something is found.",
            valueName: "time"))
    var flight: Period?

    @Option(
        help: ArgumentHelp(
            "With --flight: memory that is used for it, 64M without it. Where the time takes more, less time is kept.",
            valueName: "size"))
    var flightSize: ByteCount?

    @Option(
        help: ArgumentHelp(
            "With --flight: a file has so much time after its last finding too, 10s without it.", valueName: "time"))
    var flightRest: Period?

    @Option(
        help: ArgumentHelp(
            "With --flight: the lowest grade of a finding that is recorded, exposed without it.", valueName: "grade"))
    var recordGrade: Grade?

    private static let megabyte: UInt64 = 1 << 20
    private static let leastRotateSize = megabyte

    /// Each part of what is kept may have a page of each CPU that is not full.
    private static var leastFlightSize: UInt64 {
        let cpus = UInt64(max(HostFacts.onlineCPUs, 1))
        return max(8, cpus * 4 * FlightRecorder.shares * 4096 / Self.megabyte + 1) * Self.megabyte
    }

    var isGiven: Bool { record != nil || recordDir != nil }
    var goesToOutput: Bool { record == "-" }

    func validate() throws {
        guard !goesToOutput || !Terminal.isOutputTerminal else {
            throw ValidationError("--record - is for a pipe or a file; a terminal shows no recording.")
        }
        guard record == nil || recordDir == nil else {
            throw ValidationError("--record writes one file and --record-dir many: give one of them.")
        }
        let forFolders: [(name: String, isGiven: Bool)] = [
            ("--rotate-size", rotateSize != nil), ("--rotate-time", rotateTime != nil), ("--keep", keep != nil),
        ]
        if recordDir == nil, let option = forFolders.first(where: \.isGiven) {
            throw ValidationError("\(option.name) is for a --record-dir.")
        }
        let forFlights: [(name: String, isGiven: Bool)] = [
            ("--flight", flight != nil && recordDir == nil), ("--flight-size", flightSize != nil && flight == nil),
            ("--flight-rest", flightRest != nil && flight == nil),
            ("--record-grade", recordGrade != nil && flight == nil),
        ]
        if let option = forFlights.first(where: \.isGiven) {
            let with = option.name == "--flight" ? "" : " with --flight"
            throw ValidationError("\(option.name) is for a --record-dir\(with).")
        }
        guard flight == nil || rotateTime == nil else {
            throw ValidationError("--flight makes a file for each finding: --rotate-time says nothing there.")
        }
        guard flightSize.map({ $0.bytes >= Self.leastFlightSize }) ?? true else {
            throw ValidationError(
                "--flight-size takes \(Self.leastFlightSize / Self.megabyte)M at least on this host: a page for each CPU, many times."
            )
        }
        guard recordGrade.map({ $0 >= .exposed }) ?? true else {
            throw ValidationError("--record-grade takes a finding's grade: exposed or a graver one.")
        }
        guard recordDir?.isEmpty != true, recordDir != "-" else {
            throw ValidationError("--record-dir takes a folder; --record - writes to standard output.")
        }
        guard keep ?? 1 > 0 else { throw ValidationError("--keep takes 1 or more: the file that is written counts.") }
        guard rotateSize.map({ $0.bytes >= Self.leastRotateSize }) ?? true else {
            throw ValidationError(
                "--rotate-size takes 1M at least: what describes the records takes 0.3 MB of each file.")
        }
    }

    /// As far as they were given.
    var limits: RotatedRecording.Limits {
        var limits = RotatedRecording.Limits(time: rotateTime?.nanoseconds, kept: keep)
        if let rotateSize { limits.size = rotateSize.bytes }
        return limits
    }

    private func flightLimits(_ span: Period) -> FlightRecorder.Limits {
        var flight = FlightRecorder.Limits(span: span.nanoseconds, fileSize: limits.size, kept: keep)
        // More CPUs than most hosts have take more memory.
        flight.size = max(flightSize?.bytes ?? flight.size, Self.leastFlightSize)
        if let flightRest { flight.rest = flightRest.nanoseconds }
        if let recordGrade { flight.grade = recordGrade }
        return flight
    }

    /// How what is seen is recorded in the folder, if one was given.
    func parts(_ info: TraceInfo, countsHits: Bool) throws(TraceWriterError) -> (any RecordingParts)? {
        guard let recordDir else { return nil }
        let folder = try RecordingFolder(path: recordDir)
        guard let flight else {
            return RotatedRecording(in: folder, info: info, limits: limits, countsHits: countsHits)
        }
        return FlightRecorder(in: folder, info: info, limits: flightLimits(flight), countsHits: countsHits)
    }
}
