// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// Where the files of a recording in parts go: how each of them begins, and who completes it.
struct PartFolder {
    let folder: RecordingFolder
    let info: TraceInfo
    let countsHits: Bool
    let completion: PartCompletion
    private let timeOfDay: () -> Int64

    /// Nanoseconds until it is tried again, where nothing could be written.
    static let patience: UInt64 = 10_000_000_000

    /// - Parameters:
    ///   - kept: files that stay; nil for all.
    ///   - timeOfDay: seconds since 1970, in UTC.
    init(
        _ folder: RecordingFolder, info: TraceInfo, countsHits: Bool, keeping kept: Int?,
        timeOfDay: @escaping () -> Int64
    ) {
        self.folder = folder
        self.info = info
        self.countsHits = countsHits
        self.timeOfDay = timeOfDay
        completion = PartCompletion(in: folder, keeping: kept)
    }

    func begin(from mark: RecordingMark) throws(TraceWriterError) -> RecordedPart {
        RecordedPart(
            try .begun(in: folder, at: timeOfDay(), info: info), from: mark, countsHits: countsHits)
    }
}
