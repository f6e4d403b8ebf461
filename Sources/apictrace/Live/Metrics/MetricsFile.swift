// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
import Synchronization
import TraceCore

/// A file that always holds a whole page of metrics: each new one is written beside it and takes its place by rename(2). A thread of its
/// own does that, so that a disk that hangs doesn't hold up tracing; a page that is not written yet gives way to the next one.
final class MetricsFile: Sendable {
    let path: String
    /// node_exporter's textfile collector reads `*.prom` alone, in the one format that it knows.
    var format: MetricsPage.Format { path.hasSuffix(".prom") ? .prometheus : .openMetrics }

    private struct State {
        var waiting: String?
        var isBusy = false
        var failure: TraceWriterError?
    }

    private let queue = DispatchQueue(label: "apictrace.metrics")
    private let state = Mutex(State())

    /// How long the last page may take.
    private static let patience = Duration.seconds(2)

    init(path: String) {
        self.path = path
    }

    /// Of the latest page that was written; nil where that went well.
    var failure: TraceWriterError? { state.withLock(\.failure) }

    func put(_ text: String) {
        let isFirst = state.withLock { state in
            state.waiting = text
            defer { state.isBusy = true }
            return !state.isBusy
        }
        if isFirst { queue.async { self.writeAll() } }
    }

    /// Waits until all of it was written.
    func finish() throws(TraceWriterError) {
        let start = ContinuousClock.now
        while state.withLock(\.isBusy) {
            guard ContinuousClock.now - start < Self.patience else {
                throw TraceWriterError(file: path, what: "can't be written", reason: "the disk does not answer")
            }
            usleep(1000)
        }
        if let failure { throw failure }
    }

    private func writeAll() {
        // They would come to this thread; errno says what they say.
        EventLoop.block([SIGXFSZ])
        while let text = next() {
            var failure: TraceWriterError?
            do throws(TraceWriterError) { try write(text) } catch let error { failure = error }
            state.withLock { $0.failure = failure }
        }
    }

    private func next() -> String? {
        state.withLock { state in
            defer { state.waiting = nil }
            state.isBusy = state.waiting != nil
            return state.waiting
        }
    }

    /// Anybody may read it, as node_exporter, which is another user, has to: there is no guest's name in it.
    func write(_ text: String) throws(TraceWriterError) {
        try OutputStream.requireRegularFile(path, else: "no metrics are written there")
        let draft = draft
        // Only what a killed run with the same process id has left can be there.
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw OutputStream.error(path, errno) }
        var code = Terminal.write(Array(text.utf8), to: descriptor)
        if fchmod(descriptor, 0o644) != 0, code == 0 { code = errno }
        close(descriptor)
        if code == 0, rename(draft, path) != 0 { code = errno }
        guard code == 0 else {
            unlink(draft)
            throw OutputStream.error(path, code)
        }
    }

    /// In the same folder, since rename(2) goes no further, and not ending as what node_exporter reads.
    private var draft: String {
        let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        return "\(path[..<start]).\(path[start...]).\(getpid())"
    }
}
