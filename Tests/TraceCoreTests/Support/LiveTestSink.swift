// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// Keeps all that a source may tell, in the order in which it comes.
struct LiveTestSink: EventSink {
    struct Item: Equatable {
        let item: TraceItem
        let stamp: EventStamp
    }

    private(set) var items: [Item] = []

    mutating func take(_ item: TraceItem, at stamp: EventStamp) { items.append(Item(item: item, stamp: stamp)) }
}
