// SPDX-License-Identifier: Apache-2.0

/// Which events of a trace a part of it takes.
///
/// It asks for nothing but an event's kind and stamp, so that it means the same for records in a file and for events on their way to
/// an analysis.
struct CutPlan {
    /// Stretches of time, and whose events are taken there.
    struct Part {
        /// In ascending order, without overlaps.
        var windows: [ClosedRange<UInt64>]
        /// Threads of VMs that it leaves out.
        var others: Set<Int32>

        func takes(_ stamp: EventStamp) -> Bool {
            var (low, high) = (0, windows.count)
            while low < high {
                let middle = (low + high) / 2
                if windows[middle].upperBound < stamp.time { low = middle + 1 } else { high = middle }
            }
            return low < windows.count && windows[low].contains(stamp.time)
        }

        /// What hits a thread from an interrupt's handler may be of any VM.
        func isOf(_ stamp: EventStamp, inHardIRQ: Bool) -> Bool { inHardIRQ || !others.contains(stamp.tid) }
    }

    var parts: [Part]
    /// Moments that are taken whatever: the trace's ends, and the edges of its gaps.
    var moments: Set<UInt64> = []

    /// What they tell holds on, and there are few of them.
    private static let lasting = EventKindSet(.apicvInhibitChanged, .apicvUpdateRequest, .smmTransition)

    /// - Parameter kind: nil for an event that the machine has no use for.
    func takes(_ kind: EventKind?, at stamp: EventStamp, inHardIRQ: Bool) -> Bool {
        let isLasting = kind.map { Self.lasting.contains($0) } ?? false
        return moments.contains(stamp.time) || wants(stamp, inHardIRQ: inHardIRQ)
            || isLasting && parts.contains { $0.isOf(stamp, inHardIRQ: inHardIRQ) }
    }

    /// It is one of those that were asked for.
    func wants(_ stamp: EventStamp, inHardIRQ: Bool) -> Bool {
        parts.contains { $0.isOf(stamp, inHardIRQ: inHardIRQ) && $0.takes(stamp) }
    }

    /// A fact is as lasting as what it tells: a vCPU's registers and the clock's ticks are of their moment alone.
    func takes(_ fact: OwnEvent, at stamp: EventStamp) -> Bool {
        switch fact {
        case .lapic, .tick: moments.contains(stamp.time) || parts.contains { $0.takes(stamp) }
        // They would count what was left out.
        case .counts: false
        case .state, .process, .host, .exits, .command, .ended, .lost, .cut, .leftOut: true
        }
    }
}

/// The times of a trace's events, as many as tell where most of them lie.
struct TimeSample {
    /// Of every second, fourth, ... event, in ascending order.
    private(set) var times: [UInt64] = []
    private(set) var events: UInt64 = 0
    private var stride: UInt64 = 1

    private static let most = 4096

    mutating func note(_ time: UInt64) {
        defer { events &+= 1 }
        guard events % stride == 0, times.last.map({ $0 < time }) ?? true else { return }
        times.append(time)
        guard times.count == Self.most else { return }
        times = times.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        stride *= 2
    }

    /// The stretch that a time lies in: each goes from one of the times up to the next.
    func stretch(of time: UInt64) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return max(low, 1) - 1
    }

    /// The stretches that are kept, as times.
    func windows(of kept: [Bool]) -> [ClosedRange<UInt64>] {
        var windows: [ClosedRange<UInt64>] = []
        for index in times.indices where kept[index] {
            let end = index + 1 < times.count ? times[index + 1] - 1 : UInt64.max
            if index > 0, kept[index - 1], let last = windows.popLast() {
                windows.append(last.lowerBound...end)
            } else {
                windows.append((index == 0 ? 0 : times[index])...end)
            }
        }
        return windows
    }
}
