// SPDX-License-Identifier: Apache-2.0

/// Lines in the order of time that wait for a `kvm_exit` among them: only its thread's next event tells its level.
struct HeldLines {
    enum Line {
        case event(KVMEvent, EventStamp, EventPlace)
        /// What stands behind the columns.
        case other([UInt8], EventStamp, EventPlace)
        case lost(EventGap)
    }

    /// Where one CPU emits a great deal while another thread rests right behind its exit: no more than this waits.
    private static let most = 1 << 14

    private var lines: [Line] = []
    /// How many of them are shown already.
    private var shown = 0
    /// The number of the first of them, counted from the listing's begin.
    private var first = 0
    /// The exits whose level is open, oldest first: few, for nearly always a thread's very next event settles its exit.
    private var open: [(tid: Int32, cpu: Int32, number: Int)] = []

    @inline(__always)
    var isEmpty: Bool { lines.isEmpty }

    mutating func append(_ line: Line) {
        lines.append(line)
        if lines.count - shown > Self.most { settleOldest() }
    }

    mutating func appendExit(_ event: KVMEvent, _ stamp: EventStamp, _ place: EventPlace) {
        open.append((stamp.tid, stamp.cpu, first + lines.count))
        append(.event(event, stamp, place))
    }

    /// The thread's exit, if it has one here, is of this level.
    @inline(__always)
    mutating func settle(tid: Int32, as level: Level) {
        guard !open.isEmpty else { return }
        settle(as: level) { $0.tid == tid }
    }

    /// What followed the CPU's exits is lost, and with it their level.
    mutating func lost(onCPU cpu: Int32) {
        settle(as: .unknown) { $0.cpu == cpu }
    }

    /// No event follows.
    mutating func settleAll() {
        settle(as: .unknown) { _ in true }
    }

    /// The next line that waits for nothing.
    mutating func next() -> Line? {
        guard shown < open.first.map({ $0.number - first }) ?? lines.count else {
            forgetShown()
            return nil
        }
        shown += 1
        return lines[shown - 1]
    }

    /// Moves those that wait to the front only where they are the fewer.
    private mutating func forgetShown() {
        guard shown > lines.count / 2 else { return }
        lines.removeFirst(shown)
        first += shown
        shown = 0
    }

    private mutating func settleOldest() {
        guard let oldest = open.first?.number else { return }
        settle(as: .unknown) { $0.number == oldest }
    }

    private mutating func settle(as level: Level, where matches: ((tid: Int32, cpu: Int32, number: Int)) -> Bool) {
        for exit in open where matches(exit) {
            guard case .event(let event, let stamp, var place) = lines[exit.number - first] else { continue }
            place.level = level
            lines[exit.number - first] = .event(event, stamp, place)
        }
        open.removeAll(where: matches)
    }
}
