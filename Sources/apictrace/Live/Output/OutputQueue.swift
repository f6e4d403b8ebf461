// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
import Synchronization
import SystemPackage

/// Standard output of a live trace. A thread of its own writes it, so that a reader who takes nothing (a pipe that is full, a
/// terminal that is stopped) holds up neither tracing nor recording nor signals.
///
/// The descriptor isn't made non-blocking: it is shared with the traced command and with whoever started us.
final class OutputQueue: Sendable {
    /// Bytes that may wait to be written.
    static let room = 1 << 20
    /// How long a report waits for a reader who takes nothing, once somebody has asked for the end.
    static let patience = Duration.seconds(2)

    private struct State {
        var waiting = 0
        var written = 0
        var dropped = 0
        /// errno of the first write that failed; nothing is written after it.
        var code: Int32 = 0
    }

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "apictrace.output")
    private let state = Mutex(State())

    init(_ descriptor: Int32 = STDOUT_FILENO) {
        self.descriptor = descriptor
    }

    /// A piece of output that is dropped where there is no room for it.
    func put(_ text: String) {
        add(text, room: Self.room)
    }

    /// What must not be missing: the report.
    func putLast(_ text: String) {
        add(text, room: .max)
    }

    /// Everything was written.
    var isIdle: Bool { state.withLock { $0.waiting == 0 } }
    /// Nobody has closed the other end.
    var hasReader: Bool { state.withLock { $0.code != EPIPE } }
    /// Pieces that found no room.
    var dropped: Int { state.withLock(\.dropped) }

    /// Waits until everything was written.
    /// - Parameters:
    ///   - signals: blocked ones that end the wait.
    ///   - isAsked: somebody wants the end now.
    /// - Returns: why it was not; nil where it was.
    func finish(unless signals: [Int32], isAsked: Bool) -> String? {
        var progress = (written: -1, at: ContinuousClock.now)
        while true {
            let now = state.withLock { $0 }
            if now.code != 0 { return "\(Errno(rawValue: now.code))" }
            if now.waiting == 0 { return nil }
            if now.written != progress.written { progress = (now.written, .now) }
            let isOver = isAsked && ContinuousClock.now - progress.at > Self.patience
            if isOver || EventLoop.wait(for: signals, milliseconds: 5) != nil { return "nobody reads it" }
        }
    }

    private func add(_ text: String, room: Int) {
        let bytes = Array(text.utf8)
        let fits = state.withLock { state in
            guard state.code == 0 else { return false }
            guard state.waiting + bytes.count <= room || state.waiting == 0 else {
                state.dropped += 1
                return false
            }
            state.waiting += bytes.count
            return true
        }
        guard fits else { return }
        queue.async { [self] in
            // They come to the thread that writes; errno says there what they say.
            EventLoop.block([SIGPIPE, SIGXFSZ])
            let code = state.withLock(\.code)
            let result = code == 0 ? Terminal.write(bytes, to: descriptor) : code
            state.withLock { state in
                state.code = result
                state.waiting -= bytes.count
                state.written += bytes.count
            }
        }
    }
}
