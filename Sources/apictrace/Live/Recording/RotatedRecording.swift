// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// A folder of recordings, of which the next begins where the one before has reached a size or an age.
final class RotatedRecording: RecordingParts {
    struct Limits: Equatable {
        /// Bytes that end a file.
        var size: UInt64 = 256 << 20
        /// Nanoseconds that end a file in which there is something; nil for any.
        var time: UInt64?
        /// Files that stay, with the one that is written; nil for all.
        var kept: Int?
    }

    /// Nanoseconds until it is tried again, where nothing could be written.
    static let patience: UInt64 = 10_000_000_000

    private let folder: RecordingFolder
    private let info: TraceInfo
    private let limits: Limits
    private let countsHits: Bool
    private let timeOfDay: () -> Int64
    private let completion: PartCompletion
    private var troubles = RecordingTroubles()
    /// From when on it may be tried again.
    private var retry: UInt64 = 0
    /// What earlier runs left goes by the same number, once this one has something to take its place.
    private var isPruned = false

    /// - Parameter timeOfDay: seconds since 1970, in UTC.
    init(
        in folder: RecordingFolder, info: TraceInfo, limits: Limits, countsHits: Bool,
        timeOfDay: @escaping () -> Int64 = { Int64(time(nil)) }
    ) {
        self.folder = folder
        self.info = info
        self.limits = limits
        self.countsHits = countsHits
        self.timeOfDay = timeOfDay
        completion = PartCompletion(in: folder, keeping: limits.kept)
    }

    func begin(at mark: RecordingMark) throws(TraceWriterError) -> RecordedPart {
        try file(from: mark)
    }

    func abandon(_ part: consuming RecordedPart?) {
        if let part { folder.remove(part.name) }
    }

    private func file(from mark: RecordingMark) throws(TraceWriterError) -> RecordedPart {
        RecordedPart(
            try .begun(in: folder, at: timeOfDay(), info: info), from: mark, countsHits: countsHits)
    }

    func look(at part: inout RecordedPart?, now: UInt64) {
        if !isPruned, part?.progress.records ?? 0 > 0 {
            isPruned = true
            completion.prune()
        }
        for failure in completion.takeFailures() { troubles.tell(failure) }
    }

    func giveUp(_ part: consuming RecordedPart, for failure: TraceWriterError, at mark: RecordingMark, now: UInt64) {
        wait(after: failure, until: now)
        completion.complete(part, at: mark, isBroken: true)
    }

    private func wait(after failure: TraceWriterError, until now: UInt64) {
        let seconds = Self.patience / 1_000_000_000
        troubles.tell(failure, andThen: "; tracing goes on, and another file is tried every \(seconds) seconds")
        retry = now &+ Self.patience
    }

    func wantsNext(after part: RecordedPart.Progress?, now: UInt64) -> Bool {
        // Where the disk is slower than events come a file gets larger than it should: better than ever more unfinished ones.
        guard !completion.isBusy else { return false }
        guard let part else { return now >= retry }
        let isOld = limits.time.map { now >= part.begin &+ $0 } ?? false
        return part.size >= limits.size || part.records > 0 && isOld
    }

    func next(after part: consuming RecordedPart?, at mark: RecordingMark) -> RecordedPart? {
        var isResumed = true
        if let part {
            isResumed = false
            completion.complete(part, at: mark)
        }
        do throws(TraceWriterError) {
            let part = try file(from: mark)
            if isResumed {
                troubles.end()
                Terminal.mention("\(part.name): the recording goes on here")
            }
            return part
        } catch {
            wait(after: error, until: mark.time)
            return nil
        }
    }

    func found(_ grade: Grade, now: UInt64) {}

    func finish(_ part: consuming RecordedPart?, at mark: RecordingMark) throws(TraceWriterError) {
        if let part { completion.complete(part, at: mark) }
        completion.wait()
        for failure in completion.takeFailures() { troubles.tell(failure) }
        try troubles.check()
    }
}
