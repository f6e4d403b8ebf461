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

    private let files: PartFolder
    private let limits: Limits
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
        self.limits = limits
        files = PartFolder(folder, info: info, countsHits: countsHits, keeping: limits.kept, timeOfDay: timeOfDay)
    }

    func begin(at mark: RecordingMark) throws(TraceWriterError) -> RecordedPart {
        try files.begin(from: mark)
    }

    func abandon(_ part: consuming RecordedPart?) {
        if let part { files.folder.remove(part.name) }
    }

    func look(at part: inout RecordedPart?, now: UInt64) {
        if !isPruned, part?.progress.records ?? 0 > 0 {
            isPruned = true
            files.completion.prune()
        }
        for failure in files.completion.takeFailures() { troubles.tell(failure) }
    }

    func giveUp(_ part: consuming RecordedPart, for failure: TraceWriterError, at mark: RecordingMark, now: UInt64) {
        wait(after: failure, until: now)
        files.completion.complete(part, at: mark, isBroken: true)
    }

    private func wait(after failure: TraceWriterError, until now: UInt64) {
        let seconds = PartFolder.patience / 1_000_000_000
        troubles.tell(failure, andThen: "; tracing goes on, and another file is tried every \(seconds) seconds")
        retry = now &+ PartFolder.patience
    }

    func wantsNext(after part: RecordedPart.Progress?, now: UInt64) -> Bool {
        // Where the disk is slower than events come a file gets larger than it should: better than ever more unfinished ones.
        guard !files.completion.isBusy else { return false }
        guard let part else { return now >= retry }
        let isOld = limits.time.map { now >= part.begin &+ $0 } ?? false
        return part.size >= limits.size || part.records > 0 && isOld
    }

    func next(after part: consuming RecordedPart?, at mark: RecordingMark) -> RecordedPart? {
        var isResumed = true
        if let part {
            isResumed = false
            files.completion.complete(part, at: mark)
        }
        do throws(TraceWriterError) {
            let part = try files.begin(from: mark)
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
        if let part { files.completion.complete(part, at: mark) }
        files.completion.wait()
        for failure in files.completion.takeFailures() { troubles.tell(failure) }
        try troubles.check()
    }
}
