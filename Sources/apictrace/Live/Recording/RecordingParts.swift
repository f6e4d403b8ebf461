// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// How a recording goes on in parts: when one ends, where it goes, and what the next one is.
protocol RecordingParts: AnyObject {
    /// The first part.
    func begin(at mark: RecordingMark) throws(TraceWriterError) -> RecordedPart
    /// Nothing is traced after all, so that nothing of this run stays.
    func abandon(_ part: consuming RecordedPart?)
    /// At each drain.
    /// - Parameter now: nanoseconds of the monotonic clock.
    func look(at part: inout RecordedPart?, now: UInt64)
    /// A part can't be written on, and there is none until another one begins. Tracing goes on.
    func giveUp(_ part: consuming RecordedPart, for failure: TraceWriterError, at mark: RecordingMark, now: UInt64)
    /// Another part is to begin as soon as may be.
    func wantsNext(after part: RecordedPart.Progress?, now: UInt64) -> Bool
    /// Ends a part at a mark, and begins the next one there if that can be.
    func next(after part: consuming RecordedPart?, at mark: RecordingMark) -> RecordedPart?
    /// A finding was shown that was not there before, or with a lower grade.
    func found(_ grade: Grade, now: UInt64)
    /// The last part ends.
    /// - Throws: what went wrong first, in any part.
    func finish(_ part: consuming RecordedPart?, at mark: RecordingMark) throws(TraceWriterError)
}
