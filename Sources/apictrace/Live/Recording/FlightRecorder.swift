// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import TraceCore

/// Keeps the last minutes in memory, and writes them to a file of a folder when something is found, with what comes for some time after
/// it. Then it goes on.
///
/// What is kept are parts of a recording, packed into pages as in a file. Each knows by itself what the vCPUs are, so that the oldest can
/// go at any time.
final class FlightRecorder: RecordingParts {
    struct Limits: Equatable {
        /// Nanoseconds that are kept.
        var span: UInt64 = 120_000_000_000
        /// Bytes that they take at most, beside what comes between two drains.
        var size: UInt64 = 64 << 20
        /// Nanoseconds after a finding that are recorded too.
        var rest: UInt64 = 10_000_000_000
        /// Of a finding that is recorded.
        var grade = Grade.exposed
        /// Bytes that end a file.
        var fileSize: UInt64 = 256 << 20
        /// Files that stay; nil for all.
        var kept: Int?
    }

    /// Of what is kept a part is such a share.
    static let shares: UInt64 = 8
    /// Pages that are written at each drain: 4 MiB, which takes a disk's cache some milliseconds.
    private static let pagesAtOnce = 1024

    private final class Held {
        var part: RecordedPart
        /// Where the next one begins.
        let end: UInt64

        init(_ part: consuming RecordedPart, until end: UInt64) {
            self.part = part
            self.end = end
        }
    }

    private enum State {
        case watching
        /// Something was found, of this grade. Its file is tried until then.
        case found(Grade, until: UInt64)
        /// What is kept goes to the file, the oldest first; what comes is kept meanwhile.
        case saving
        /// What comes goes to the file.
        case recording
    }

    let files: PartFolder
    private let limits: Limits
    private var troubles = RecordingTroubles()
    /// From when on it may be tried again to keep something, or to begin a file, where that failed.
    private var retry: UInt64 = 0
    private var fileRetry: UInt64 = 0
    private var state = State.watching
    private var held: [Held] = []
    private var file: RecordedPart?
    /// When the file ends.
    private var until: UInt64 = 0
    private var recordings = 0
    private var forgotten: UInt64 = 0

    /// - Parameter timeOfDay: seconds since 1970, in UTC.
    init(
        in folder: RecordingFolder, info: TraceInfo, limits: Limits, countsHits: Bool,
        timeOfDay: @escaping () -> Int64 = { Int64(time(nil)) }
    ) {
        self.limits = limits
        files = PartFolder(folder, info: info, countsHits: countsHits, keeping: limits.kept, timeOfDay: timeOfDay)
    }

    /// Bytes of what is kept, but for the part that comes.
    private(set) var size: UInt64 = 0

    func begin(at mark: RecordingMark) throws(TraceWriterError) -> RecordedPart {
        try files.folder.check()
        return try inMemory(at: mark)
    }

    func abandon(_ part: consuming RecordedPart?) {}

    private func inMemory(at mark: RecordingMark) throws(TraceWriterError) -> RecordedPart {
        let descriptor = cbpf_memory_file()
        guard descriptor >= 0 else {
            throw TraceWriterError(
                file: files.folder.path, what: "what comes can't be kept in memory",
                reason: String(cString: strerror(errno)))
        }
        // One after the other, so that each describes its records as those before it.
        guard let last = held.last else {
            let writer = TraceWriter(memory: descriptor, info: files.info)
            return RecordedPart(writer, from: mark, isOnDisk: false, countsHits: files.countsHits)
        }
        return last.part.next(memory: descriptor, from: mark)
    }

    // MARK: - Findings

    func found(_ grade: Grade, now: UInt64) {
        guard grade >= limits.grade else { return }
        until = now &+ limits.rest
        if case .watching = state { state = .found(grade, until: now &+ limits.span) }
    }

    func look(at part: inout RecordedPart?, now: UInt64) {
        for failure in files.completion.takeFailures() { troubles.tell(failure) }
        if case .found(let grade, let last) = state, now >= fileRetry {
            open(for: grade, from: part?.begin, now, until: last)
        }
        switch state {
        case .saving: save(&part, pages: isOver(part?.progress) ? .max : Self.pagesAtOnce)
        case .watching, .found: forget(now, part?.progress)
        case .recording: break
        }
    }

    /// - Parameter last: until then what shows it is kept.
    private func open(for grade: Grade, from begin: RecordingMark?, _ now: UInt64, until last: UInt64) {
        do throws(TraceWriterError) {
            let oldest = held.first?.part.begin ?? begin ?? RecordingMark(time: now)
            let part = try files.begin(from: oldest)
            let seconds = (now &- min(oldest.time, now)) / 1_000_000_000
            Terminal.mention("\(part.name): a finding (\(grade)) is recorded, from \(seconds) seconds before it on")
            file = consume part
            recordings += 1
            troubles.end()
            until = max(until, now &+ limits.rest)
            files.completion.prune()
            state = .saving
        } catch {
            let seconds = PartFolder.patience / 1_000_000_000
            let rest = now < last ? "a file is tried every \(seconds) seconds" : "the finding is not recorded"
            troubles.tell(error, andThen: "; tracing goes on, and \(rest)")
            fileRetry = now &+ PartFolder.patience
            if now >= last { state = .watching }
        }
    }

    /// Brings so many pages of what is kept to the file. Once it has all, what comes goes there too.
    private func save(_ part: inout RecordedPart?, pages: Int) {
        while let oldest = held.first {
            guard file?.take(pages, from: &oldest.part) ?? true else { return }
            size -= oldest.part.progress.size
            held.removeFirst()
            guard pages == .max else { return }
        }
        part?.end()
        if var last = part.take() { while file?.take(.max, from: &last) == false {} }
        part = file.take()
        state = .recording
    }

    // MARK: - Parts

    func giveUp(_ part: consuming RecordedPart, for failure: TraceWriterError, at mark: RecordingMark, now: UInt64) {
        guard case .recording = state else {
            troubles.tell(failure, andThen: "; nothing is kept for findings now, and tracing goes on")
            retry = now &+ PartFolder.patience
            return
        }
        troubles.tell(failure, andThen: "; the recording ends here, and tracing goes on")
        state = .watching
        files.completion.complete(part, at: mark, isBroken: true)
    }

    func wantsNext(after part: RecordedPart.Progress?, now: UInt64) -> Bool {
        guard let part else { return now >= retry }
        if case .recording = state { return now >= until && !files.completion.isBusy || part.size >= limits.fileSize }
        let isOld = now >= part.begin &+ limits.span / Self.shares
        return part.size >= limits.size / Self.shares || part.records > 0 && isOld
    }

    func next(after part: consuming RecordedPart?, at mark: RecordingMark) -> RecordedPart? {
        do throws(TraceWriterError) {
            guard case .recording = state else {
                if let part { hold(part, until: mark.time) }
                return try inMemory(at: mark)
            }
            if let part { files.completion.complete(part, at: mark) }
            guard mark.time < until else {
                state = .watching
                return try inMemory(at: mark)
            }
            return try files.begin(from: mark)
        } catch {
            troubles.tell(error, andThen: "; tracing goes on")
            if case .recording = state { state = .watching }
            retry = mark.time &+ PartFolder.patience
            return nil
        }
    }

    private func hold(_ part: consuming RecordedPart, until end: UInt64) {
        part.end()
        size += part.progress.size
        held.append(Held(part, until: end))
    }

    /// What is kept takes more than it may.
    private func isOver(_ part: RecordedPart.Progress?) -> Bool {
        size + (part?.size ?? 0) > limits.size - limits.size / Self.shares
    }

    /// The oldest parts go where they are too old, or take too much.
    private func forget(_ now: UInt64, _ part: RecordedPart.Progress?) {
        while let oldest = held.first, oldest.end &+ limits.span < now || isOver(part) {
            size -= oldest.part.progress.size
            forgotten &+= oldest.part.progress.records
            held.removeFirst()
        }
    }

    func finish(_ part: consuming RecordedPart?, at mark: RecordingMark) throws(TraceWriterError) {
        var part = part
        fileRetry = 0
        look(at: &part, now: mark.time)
        if case .saving = state { save(&part, pages: .max) }
        if case .recording = state, let part = part.take() { files.completion.complete(part, at: mark) }
        files.completion.wait()
        for failure in files.completion.takeFailures() { troubles.tell(failure) }
        forgotten &+= held.reduce(part?.progress.records ?? 0) { $0 &+ $1.part.progress.records }
        Terminal.complain(
            "\(files.folder.path): \(recordings) recording\(recordings == 1 ? "" : "s") of findings; \(forgotten) events are in none"
        )
        try troubles.check()
    }
}
