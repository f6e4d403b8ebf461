// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

/// Does something for each of several elements, side by side, and tells what came of each in the elements' order.
///
/// As many wait to be told as ``waiting`` says, and no more: one large file at the begin would gather the reports of all others.
final class AnalysisJobs<Element: Sendable, Outcome: Sendable>: Sendable {
    private struct Progress {
        var next = 0
        var outcomes: [Int: Outcome] = [:]
    }

    private let elements: [Element]
    private let work: @Sendable (Element) -> Outcome
    private let progress = Mutex(Progress())
    private let room = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)

    /// For each job.
    private static var waiting: Int { 4 }

    /// - Parameter jobs: at a time.
    static func run(
        _ elements: [Element], jobs: Int, _ work: @escaping @Sendable (Element) -> Outcome,
        tell: (Element, Outcome) throws -> Void
    ) throws {
        guard jobs > 1, elements.count > 1 else {
            for element in elements { try tell(element, work(element)) }
            return
        }
        let all = AnalysisJobs(elements, jobs: jobs, work)
        for _ in 0..<min(jobs, elements.count) { DispatchQueue.global().async { all.takeTurns() } }
        for (number, element) in elements.enumerated() { try tell(element, all.outcome(number)) }
    }

    private init(_ elements: [Element], jobs: Int, _ work: @escaping @Sendable (Element) -> Outcome) {
        (self.elements, self.work) = (elements, work)
        for _ in 0..<(jobs * Self.waiting) { room.signal() }
    }

    private func takeTurns() {
        while true {
            room.wait()
            let number = progress.withLock { progress in
                defer { progress.next += 1 }
                return progress.next
            }
            guard number < elements.count else {
                room.signal()
                return
            }
            let outcome = work(elements[number])
            progress.withLock { $0.outcomes[number] = outcome }
            done.signal()
        }
    }

    /// Waits for it.
    private func outcome(_ number: Int) -> Outcome {
        while true {
            if let outcome = progress.withLock({ $0.outcomes.removeValue(forKey: number) }) {
                room.signal()
                return outcome
            }
            done.wait()
        }
    }
}
