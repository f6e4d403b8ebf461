// SPDX-License-Identifier: Apache-2.0

/// One event that perf was told to record: `struct perf_event_attr` (include/uapi/linux/perf_event.h, 4.1 to 7.3), with the ids
/// that its records name it by.
struct PerfAttribute: Sendable {
    /// `sample_type`: the fields of a sample, which lie in a fixed order.
    struct Fields: OptionSet, Sendable {
        let rawValue: UInt64

        static let ip = Fields(rawValue: 1 << 0)
        static let tid = Fields(rawValue: 1 << 1)
        static let time = Fields(rawValue: 1 << 2)
        static let address = Fields(rawValue: 1 << 3)
        static let read = Fields(rawValue: 1 << 4)
        static let callchain = Fields(rawValue: 1 << 5)
        static let id = Fields(rawValue: 1 << 6)
        static let cpu = Fields(rawValue: 1 << 7)
        static let period = Fields(rawValue: 1 << 8)
        static let streamID = Fields(rawValue: 1 << 9)
        static let raw = Fields(rawValue: 1 << 10)
        static let identifier = Fields(rawValue: 1 << 16)
    }

    /// `read_format`: the fields of a counter's value.
    struct Counter: OptionSet, Sendable {
        let rawValue: UInt64

        static let timeEnabled = Counter(rawValue: 1 << 0)
        static let timeRunning = Counter(rawValue: 1 << 1)
        static let id = Counter(rawValue: 1 << 2)
        static let group = Counter(rawValue: 1 << 3)
        static let lost = Counter(rawValue: 1 << 4)
    }

    private struct Flags: OptionSet {
        let rawValue: UInt64

        static let excludesKernel = Flags(rawValue: 1 << 5)
        static let isFrequency = Flags(rawValue: 1 << 10)
        static let sampleIDAll = Flags(rawValue: 1 << 18)
        static let usesClockID = Flags(rawValue: 1 << 25)
        static let writesBackward = Flags(rawValue: 1 << 27)
    }

    /// PERF_ATTR_SIZE_VER0: what all versions have.
    static let smallest = 64
    private static let tracepointType: UInt32 = 2

    let type: UInt32
    /// Of a tracepoint the id that its format has.
    let config: UInt64
    /// A sample for each so many events; of a frequency how many samples a second.
    let period: UInt64
    let fields: Fields
    let counter: Counter
    private let flags: Flags
    private let clockNumber: Int32
    var ids: [UInt64] = []
    /// As perf calls it, e.g. `kvm:kvm_exit`.
    var name: String?

    init(_ bytes: [UInt8], at offset: UInt64) throws(TraceCut) {
        var reader = SectionReader("an event's attributes", bytes: bytes, at: offset, order: .little)
        type = try reader.integer()
        _ = try reader.integer(UInt32.self)
        config = try reader.integer()
        period = try reader.integer()
        fields = Fields(rawValue: try reader.integer())
        counter = Counter(rawValue: try reader.integer())
        flags = Flags(rawValue: try reader.integer())
        // Behind 44 bytes that tell nothing of a tracepoint; the oldest have no clock.
        let hasClock = bytes.count >= 96
        if hasClock { try reader.skip(44) }
        clockNumber = hasClock ? try reader.integer() : 0
    }

    /// The format's id; nil for what is no tracepoint.
    var tracepoint: UInt16? { type == Self.tracepointType ? UInt16(exactly: config) : nil }

    /// Events of it leave samples, all or some. One of a group may only count, and KVM's events are the kernel's own.
    var isSampled: Bool { period > 0 && !flags.contains(.excludesKernel) }
    /// How often there is a sample changes, and each one says for how many events it stands.
    var isFrequency: Bool { flags.contains(.isFrequency) }
    /// Records that are no samples end as samples begin.
    var endsRecordsWithSampleID: Bool { flags.contains(.sampleIDAll) }
    /// The buffer keeps what came last: how much came before nobody counts.
    var writesBackward: Bool { flags.contains(.writesBackward) }

    /// Of what is no tracepoint (enum perf_sw_ids and perf_hw_id); nil where the number tells nobody anything.
    var usualName: String? {
        let software = [
            "cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations", "minor-faults",
            "major-faults", "alignment-faults", "emulation-faults", "dummy", "bpf-output", "cgroup-switches",
        ]
        let hardware = [
            "cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses", "bus-cycles",
        ]
        guard type < 2, let index = Int(exactly: config) else { return nil }
        let names = type == 0 ? hardware : software
        return names.indices.contains(index) ? names[index] : nil
    }

    /// `perf record -k`; without it perf's own clock, which is trace-cmd's `perf`.
    var clock: TraceClock {
        guard flags.contains(.usesClockID) else { return .perf }
        let names: [Int32: String] = [0: "real", 1: "mono", 4: "mono_raw", 7: "boot", 11: "tai"]
        return TraceClock(name: names[clockNumber] ?? "clock \(clockNumber)", unit: .nanoseconds)
    }
}

extension TraceClock {
    static let perf = TraceClock(name: "perf", unit: .nanoseconds)
}
