// SPDX-License-Identifier: Apache-2.0

/// One event that a finding rests on, in the words of a maintainer's mail.
public struct EvidenceEntry: Equatable, Sendable {
    public var stamp: EventStamp
    /// The tracepoint.
    public var event: String
    public var text: String
}

/// The events behind a finding: the first and the last of them are kept, all are counted.
public struct EvidenceLog: Equatable, Sendable {
    public private(set) var total: UInt64 = 0
    private var head: [EvidenceEntry] = []
    private var tail: [EvidenceEntry] = []

    static let headCapacity = 24
    static let tailCapacity = 8

    public init() {}

    public var entries: [EvidenceEntry] { head + tail }

    /// Takes over what another log kept, as far as there is room.
    mutating func add(_ other: EvidenceLog) {
        let total = total &+ other.total
        for entry in other.entries { add(entry.event, at: entry.stamp, isKey: true, entry.text) }
        self.total = total
    }

    /// - Parameter isKey: a step of the story that is kept even where the list is full.
    mutating func add(
        _ event: String, at stamp: EventStamp, isKey: Bool = false, _ text: @autoclosure () -> String
    ) {
        total &+= 1
        guard head.count >= Self.headCapacity else {
            head.append(EvidenceEntry(stamp: stamp, event: event, text: text()))
            return
        }
        guard isKey else { return }
        if tail.count == Self.tailCapacity { tail.removeFirst() }
        tail.append(EvidenceEntry(stamp: stamp, event: event, text: text()))
    }
}
