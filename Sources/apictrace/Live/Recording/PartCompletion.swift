// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization
import TraceCore

/// Completes the files of parts that are over on a thread of its own, one at a time, and removes the oldest of the folder's: pages
/// are put in order and read back for that, which takes longer than events can wait.
final class PartCompletion: Sendable {
    private struct State {
        var waiting = 0
        /// Not told yet.
        var failures: [TraceWriterError] = []
    }

    private let folder: RecordingFolder
    /// How many of the latest files stay; nil where all do.
    private let kept: Int?
    private let queue = DispatchQueue(label: "apictrace.completion")
    private let state = Mutex(State())

    init(in folder: RecordingFolder, keeping kept: Int?) {
        self.folder = folder
        self.kept = kept
    }

    /// Removes what is over the number, whichever run has left it.
    func prune() {
        guard let kept else { return }
        do throws(TraceWriterError) { try folder.removeOldest(keeping: kept) } catch { note(error) }
    }

    /// Takes its time.
    var isBusy: Bool { state.withLock { $0.waiting > 0 } }

    /// - Parameter isBroken: what went wrong with it was told.
    func complete(_ part: consuming RecordedPart, at end: RecordingMark, isBroken: Bool = false) {
        state.withLock { $0.waiting += 1 }
        let part = Mutex<RecordedPart?>(part)
        let box = Box(part)
        queue.async { [self] in
            if let failure = box.complete(at: end), !isBroken { note(failure) }
            prune()
            state.withLock { $0.waiting -= 1 }
        }
    }

    private func note(_ failure: TraceWriterError) {
        state.withLock { $0.failures.append(failure) }
    }

    /// What went wrong since this was asked for.
    func takeFailures() -> [TraceWriterError] {
        state.withLock { state in
            defer { state.failures = [] }
            return state.failures
        }
    }

    /// Until all is complete.
    func wait() {
        queue.sync {}
    }

    /// Carries a part to the other thread.
    private final class Box: Sendable {
        private let part: Mutex<RecordedPart?>

        init(_ part: consuming Mutex<RecordedPart?>) {
            self.part = part
        }

        func complete(at end: RecordingMark) -> TraceWriterError? {
            part.withLock { part in
                // The file is closed here.
                guard var part = part.take() else { return nil }
                do throws(TraceWriterError) {
                    try part.finish(at: end)
                    return nil
                } catch {
                    return error
                }
            }
        }
    }
}
