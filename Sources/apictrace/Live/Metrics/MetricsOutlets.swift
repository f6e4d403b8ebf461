// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Where the metrics of a live trace go: to a file, to whoever asks over HTTP, or to both.
struct MetricsOutlets {
    /// Nanoseconds between two pages.
    static let interval: UInt64 = 5_000_000_000

    private let file: MetricsFile?
    private let server: MetricsServer?
    private let board = MetricsBoard()
    private var latest: MetricsSnapshot?
    private var time: UInt64 = 0
    private var isServing = false
    private var isFailureTold = false

    /// - Parameters:
    ///   - path: of the file, nil for none.
    ///   - socket: that pages are served at, nil for none.
    init(path: String?, socket: ListeningSocket?) {
        file = path.map { MetricsFile(path: $0) }
        let board = board
        server = socket.map { MetricsServer($0, board: board) }
    }

    /// The page of a trace that has not begun has to find its place: where it can't be written nothing needs to be traced.
    mutating func begin(_ snapshot: MetricsSnapshot) throws(TraceWriterError) {
        var snapshot = snapshot
        snapshot.isTracing = false
        let page = remember(snapshot)
        if let file { try file.write(page.text(file.format)) }
    }

    /// The first page that is put is always due.
    func isDue(at now: UInt64) -> Bool { latest?.isTracing != true || now - time >= Self.interval }

    mutating func put(_ snapshot: MetricsSnapshot) {
        let page = remember(snapshot)
        file?.put(page.text(file?.format ?? .prometheus))
        guard !isFailureTold, let failure = file?.failure else { return }
        isFailureTold = true
        // It is reported once more at the end, if it lasts.
        Terminal.mention("\(failure); tracing goes on")
    }

    /// From here on a thread serves: to be called once the signals are blocked and the command runs, which must inherit neither its
    /// descriptors nor its habits.
    mutating func serve() {
        if !isServing { server?.start() }
        isServing = true
    }

    /// The last page, for as long as this process goes on.
    mutating func finish(_ snapshot: MetricsSnapshot) throws(TraceWriterError) {
        let page = remember(snapshot)
        guard let file else { return }
        file.put(page.text(file.format))
        try file.finish()
    }

    private mutating func remember(_ snapshot: MetricsSnapshot) -> MetricsPage {
        var snapshot = snapshot
        if let latest { snapshot.keepUp(with: latest) }
        latest = snapshot
        time = MonotonicClock.now
        let page = MetricsPage(snapshot)
        if server != nil {
            let texts = MetricsPage.Format.allCases.map { ($0, page.text($0)) }
            board.put(
                .init(texts: Dictionary(uniqueKeysWithValues: texts), time: time, isTracing: snapshot.isTracing))
        }
        return page
    }
}
