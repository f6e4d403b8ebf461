// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What went wrong with a recording in parts: each thing is told when it comes, and the first once more at the end.
struct RecordingTroubles {
    private var first: TraceWriterError?
    private var told: String?

    /// The same thing over and over, as on a full disk, is told once.
    mutating func tell(_ failure: TraceWriterError, andThen rest: String = "") {
        first = first ?? failure
        let trouble = "\(failure.what): \(failure.reason)"
        guard told != trouble else { return }
        told = trouble
        Terminal.mention("\(failure)\(rest)")
    }

    /// It works again: whatever comes next is told.
    mutating func end() {
        told = nil
    }

    func check() throws(TraceWriterError) {
        if let first { throw first }
    }
}
