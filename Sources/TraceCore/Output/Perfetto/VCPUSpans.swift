// SPDX-License-Identifier: Apache-2.0

/// Makes slices of a vCPU's events as they pass: one for each stay at a level, one for each exit.
struct VCPUSpans {
    let level: PerfettoWriter.Track
    let exits: PerfettoWriter.Track
    let apic: PerfettoWriter.Track
    let isa: ISA

    private var exit: Timeline.Event?
    private var woke: UInt64?
    private var entry: Timeline.Event?
    /// Runs of one level, with what L0 did in between.
    private var stay: (level: Level, from: UInt64, to: UInt64)?
    /// Events were lost from here on, or not kept.
    private var hole: Timeline.Event?
    /// Stays by level, exits by level and reason, and marks: those that came.
    private let stays: [PerfettoWriter.Slice]
    private var exitSlices: [PerfettoWriter.Slice] = []
    /// Where an exit's slice is among them, by level and reason; -1 where none came.
    private var exitPlaces: [Int32]
    private var marks = PerfettoWriter.Recurring<PerfettoWriter.Packet>()

    /// KVM's own reasons are below; what a file has beyond them is made anew each time.
    private static let reasons = 1 << 11

    init(level: PerfettoWriter.Track, exits: PerfettoWriter.Track, apic: PerfettoWriter.Track, isa: ISA) {
        (self.level, self.exits, self.apic, self.isa) = (level, exits, apic, isa)
        stays = Level.allCases.map { PerfettoWriter.Slice($0.name, on: level) }
        exitPlaces = Array(repeating: -1, count: Self.reasons * Level.allCases.count)
    }

    mutating func take(_ event: Timeline.Event, _ writer: inout PerfettoWriter) throws {
        if hole != nil, event.kind != .gap, event.kind != .summarised { try endHole(at: event.time, &writer) }
        switch event.kind {
        case .exit:
            try endExit(at: event.time, &writer)
            if let entry { try ran(event.level, from: entry.time, to: event.time, &writer) }
            (exit, entry) = (event, nil)
        case .entry:
            try endExit(at: event.time, &writer)
            entry = event
        case .woke: woke = event.time
        case .gap, .summarised:
            try end(at: event.time, &writer)
            hole = event
        // Interrupts have tracks of their own.
        case .accepted, .refused, .placed, .acknowledged, .ended: break
        default:
            let apic = apic
            let mark = marks.made(event.number) {
                .init(.init(.instant, event.name, on: apic, category: "\(event.kind)", event.words))
            }
            try writer.add(mark, at: event.time)
        }
    }

    /// Nothing is known from here on.
    mutating func end(at time: UInt64, _ writer: inout PerfettoWriter) throws {
        try endHole(at: time, &writer)
        try endExit(at: time, &writer)
        if let entry { try ran(entry.level, from: entry.time, to: time, &writer) }
        entry = nil
        try endStay(&writer)
    }

    private mutating func ran(_ level: Level, from: UInt64, to: UInt64, _ writer: inout PerfettoWriter) throws {
        if stay?.level == level {
            stay?.to = to
        } else {
            try endStay(&writer)
            stay = (level, from, to)
        }
    }

    private mutating func endStay(_ writer: inout PerfettoWriter) throws {
        guard let stay else { return }
        try writer.add(stays[Int(stay.level.rawValue)], from: stay.from, to: stay.to)
        self.stay = nil
    }

    private mutating func endExit(at time: UInt64, _ writer: inout PerfettoWriter) throws {
        guard let exit else { return }
        if exit.value < Self.reasons {
            let place = placeOfSlice(of: exit)
            try writer.add(exitSlices[place], from: exit.time, to: time)
        } else {
            try writer.add(slice(of: exit), from: exit.time, to: time)
        }
        if let woke { try writer.slice("blocked", on: exits, from: exit.time, to: woke, category: "blocked") }
        (self.exit, woke) = (nil, nil)
    }

    @inline(__always)
    private mutating func placeOfSlice(of exit: Timeline.Event) -> Int {
        let place = Int(exit.value) + Self.reasons * Int(exit.level.rawValue)
        if exitPlaces[place] < 0 {
            exitPlaces[place] = Int32(exitSlices.count)
            exitSlices.append(slice(of: exit))
        }
        return Int(exitPlaces[place])
    }

    private func slice(of exit: Timeline.Event) -> PerfettoWriter.Slice {
        .init(exit.reason(isa).name, on: exits, category: "exit", [("level", .text(exit.level.name))])
    }

    private mutating func endHole(at time: UInt64, _ writer: inout PerfettoWriter) throws {
        guard let hole else { return }
        let isLoss = hole.kind == .gap
        try writer.slice(
            isLoss ? "events lost" : "not kept one by one", on: exits, from: hole.time, to: time,
            category: isLoss ? "loss" : "summary")
        self.hole = nil
    }
}

extension Timeline.Event {
    /// What has it in common has the same name and words.
    fileprivate var number: UInt64 {
        UInt64(value) | UInt64(kind.rawValue) << 16 | UInt64(level.rawValue) << 24 | (isSilentOrWrite ? 1 << 32 : 0)
            | (isMergedOrByMSR ? 1 << 33 : 0)
    }

    fileprivate var name: String {
        switch kind {
        case .accessed, .accessedDirectly, .accessHooked:
            "\(register.name) \(isSilentOrWrite ? "write" : "read")"
        case .crossed: "\(vector.hex) crossed"
        case .missedEOI: "\(vector.hex) stuck"
        case .sentIPI: "IPI \(vector.hex)"
        case .injectedByL1: "L1 injects \(vector.hex)"
        case .reflectedInterrupt: "EXTERNAL_INTERRUPT reflected"
        case .interruptWindow: "interrupt window"
        case .pageChanged: "APIC page changed"
        case .offered: "INIT or SIPI offered"
        case .initTaken: "INIT taken"
        case .sipiTaken: "SIPI taken"
        case .inhibitsChanged: "inhibits changed"
        case .toldIOAPIC: "IOAPIC told of EOI"
        case .faultInDiffers: "fault-in differs"
        case .exit, .entry, .woke, .accepted, .refused, .placed, .acknowledged, .ended, .requested, .late, .reset, .gap,
            .summarised, .withdrawn:
            "\(kind)"
        }
    }

    fileprivate var words: PerfettoWriter.Annotations {
        var words: PerfettoWriter.Annotations = []
        if level != .unknown { words.append(("level", .text(level.name))) }
        switch kind {
        case .accessed: words.append(("how", .text("by an exit")))
        case .accessedDirectly: words.append(("how", .text(isMergedOrByMSR ? "direct, x2APIC" : "direct")))
        case .accessHooked: words.append(("how", .text("hooked by L1")))
        default: break
        }
        return words
    }
}
