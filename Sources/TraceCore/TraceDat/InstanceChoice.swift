// SPDX-License-Identifier: Apache-2.0

/// Which buffer instance each kind of event is taken from.
///
/// A file with several instances can hold the same event twice, microseconds apart. So each kind is taken from one: of those
/// that hold it, the one that holds most kinds.
struct InstanceChoice {
    /// By instance.
    let kinds: [EventKindSet]

    /// - Parameter held: the kinds that each instance has records of.
    init(held: [EventKindSet]) {
        let ranking = held.indices.sorted { left, right in
            let counts = (held[left].kinds.count, held[right].kinds.count)
            return counts.0 != counts.1 ? counts.0 > counts.1 : left < right
        }
        var kinds = [EventKindSet](repeating: [], count: held.count)
        var taken: EventKindSet = []
        for instance in ranking {
            kinds[instance] = held[instance].subtracting(taken)
            taken.formUnion(held[instance])
        }
        self.kinds = kinds
    }
}
