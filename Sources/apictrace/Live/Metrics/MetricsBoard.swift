// SPDX-License-Identifier: Apache-2.0
import Synchronization
import TraceCore

/// The latest page of metrics, for whoever asks. It is put there ready made: who serves it neither waits for the analysis nor holds it up.
final class MetricsBoard: Sendable {
    struct Page: Sendable {
        var texts: [MetricsPage.Format: String]
        /// Of ``MonotonicClock``.
        var time: UInt64
        /// Others follow it, at their pace.
        var isTracing: Bool
    }

    private let latest = Mutex<Page?>(nil)

    var page: Page? { latest.withLock { $0 } }

    func put(_ page: Page) {
        latest.withLock { $0 = page }
    }

    /// Why it can't be relied on at a time; nil where it can.
    func trouble(at now: UInt64) -> String? {
        guard let page else { return "tracing has not begun" }
        let age = now > page.time ? now - page.time : 0
        guard page.isTracing, age > Self.longestSilence else { return nil }
        return "the analysis has told nothing for \(age / 1_000_000_000) s"
    }

    /// Three pages are missing.
    private static let longestSilence = 3 * MetricsOutlets.interval
}
