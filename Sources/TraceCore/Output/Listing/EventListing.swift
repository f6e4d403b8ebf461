// SPDX-License-Identifier: Apache-2.0

/// A trace's events as lines of text or JSON, each with its VM, vCPU and level: a sink that drives a machine and prints.
///
/// It judges nothing. Lines leave in blocks, so that none costs a system call.
public struct EventListing: EventSink, ~Copyable {
    private var machine: Machine
    private var silence = NoObserver()
    private var held = HeldLines()
    private var line: ListingLine
    private var block: [UInt8] = []
    private let options: ListingOptions
    /// By the index of the format; nil for those that are not listed.
    private let others: [OtherEvent?]
    /// Lines of events so far.
    public private(set) var count: UInt64 = 0
    private let write: ([UInt8]) -> Void

    /// Systems whose events are listed.
    public static var systems: Set<String> { FormatCatalog.systems }

    static let blockSize = 1 << 16

    /// - Parameter write: takes about 64 KiB of whole lines at a time.
    public init(info: TraceInfo, options: ListingOptions, write: @escaping ([UInt8]) -> Void) {
        machine = Machine(info: info)
        line = ListingLine(
            options, clock: info.clock, names: NameTables(info, inhibitNames: machine.inhibitNames),
            commands: info.commands)
        others = info.otherFormats.map { text in
            guard let other = OtherEvent(text, order: info.order) else { return nil }
            return options.others?.contains(other.name) ?? true ? other : nil
        }
        block.reserveCapacity(Self.blockSize + ListingLine.longest)
        self.options = options
        self.write = write
    }

    public mutating func started(at base: UInt64) {
        line.base = base
        line.addHeader(to: &block)
        line.addBase(to: &block)
    }

    @inline(__always)
    public mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event(let event): self.event(event, at: stamp)
        case .lost(let gap): lost(gap)
        // They say nothing of their own, and names are those of the info.
        case .fact: break
        }
    }

    @inline(__always)
    public mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        guard stamp.time <= options.window.upperBound || !held.isEmpty else { return }
        if machine.isCrowded { makeRoom() }
        machine.event(event, at: stamp, observer: &silence)
        if !held.isEmpty {
            if case .nestedVMExit = event {
                held.settle(tid: stamp.tid, as: .l2)
            } else {
                held.settle(tid: stamp.tid, as: .l1)
            }
            release()
        }
        guard options.window.contains(stamp.time), options.kinds.contains(event.kind) else { return }
        let place = machine.place(of: event, at: stamp)
        guard isSelected(event.target, place, stamp) else { return }
        if case .exit = event, place.level == .l1, machine.info.recordedKinds.contains(.nestedVMExit) {
            held.appendExit(event, stamp, place)
        } else if held.isEmpty {
            show(event, stamp, place)
        } else {
            held.append(.event(event, stamp, place))
        }
    }

    public static var takesOthers: Bool { true }

    public mutating func other(_ record: Record, format: Int, at stamp: EventStamp) {
        guard others.indices.contains(format), let other = others[format] else { return }
        list(other.name, at: stamp, longest: other.longest) { out, isJSON in
            if isJSON { other.addJSON(record, to: &out) } else { other.addText(record, to: &out) }
        }
    }

    public mutating func other(named name: String, text: String, at stamp: EventStamp) {
        guard options.others?.contains(name) ?? true else { return }
        let text = NameTables.clean(text)
        list(name, at: stamp, longest: text.count + 4 * NameTables.longest) { out, isJSON in
            if isJSON {
                out.add("\"text\":\"")
            } else {
                out.add(NameTables.column(NameTables.clean(name)))
                out.append(UInt8(ascii: " "))
            }
            out.add(text)
            if isJSON { out.append(UInt8(ascii: "\"")) }
        }
    }

    /// Lists an event that the machine has no use for.
    ///
    /// - Parameter longest: what `addFields` adds at most, in bytes.
    private mutating func list(
        _ name: String, at stamp: EventStamp, longest: Int,
        _ addFields: (_ out: inout OutputSpan<UInt8>, _ isJSON: Bool) -> Void
    ) {
        guard options.window.contains(stamp.time) else { return }
        let place = machine.place(ofThread: stamp)
        guard isSelected(nil, place, stamp) else { return }
        guard held.isEmpty else {
            var body: [UInt8] = []
            Self.add(name, longest: longest, isJSON: options.json, to: &body, addFields)
            return held.append(.other(body, stamp, place))
        }
        guard options.level == nil || options.level == place.level else { return }
        count &+= 1
        line.add(placeOf: stamp, place, to: &block)
        Self.add(name, longest: longest, isJSON: options.json, to: &block, addFields)
        if block.count >= Self.blockSize { flush() }
    }

    /// What stands behind the columns.
    private static func add(
        _ name: String, longest: Int, isJSON: Bool, to body: inout [UInt8],
        _ addFields: (_ out: inout OutputSpan<UInt8>, _ isJSON: Bool) -> Void
    ) {
        body.append(addingCapacity: longest + 2 * NameTables.longest) { out in
            if isJSON {
                out.add(",\"event\":\"")
                out.add(NameTables.clean(name))
                out.add("\",\"fields\":{")
            }
            addFields(&out, isJSON)
            out.add(isJSON ? "}}\n" : "\n")
        }
    }

    private mutating func lost(_ gap: EventGap) {
        machine.lost(gap, observer: &silence)
        // Nobody tells a listing of processes: any thread may be meant.
        if gap.process == nil { held.lost(onCPU: gap.cpu) } else { held.settleAll() }
        release()
        guard (gap.from ?? 0) <= options.window.upperBound, (gap.to ?? .max) >= options.window.lowerBound else {
            return
        }
        held.append(.lost(gap))
        release()
    }

    /// The trace is over.
    public mutating func finish() {
        held.settleAll()
        release()
        flush()
    }

    /// VMs that were silent for longest are taken for ended. What they add up to nobody asks here.
    @inline(never)
    private mutating func makeRoom() {
        var totals = VMTotals()
        for vm in machine.silentVMs() {
            machine.close(vm, at: machine.now)
            _ = machine.vacate(vm, into: &totals)
        }
        machine.isCrowded = false
    }

    /// - Parameter target: the vCPU that the event is aimed at, where it is at one.
    private func isSelected(_ target: UInt32?, _ place: EventPlace, _ stamp: EventStamp) -> Bool {
        if !options.cpus.isEmpty, !options.cpus.contains(where: { $0.contains(stamp.cpu) }) { return false }
        if options.selection.isEmpty { return true }
        if !options.selection.vms.isEmpty {
            guard let vm = place.vm, machine.isSelected(vm, options.selection) else { return false }
        }
        return options.selection.contains(vcpu: place.vcpu)
            || options.selection.contains(vcpu: target.flatMap { Int32(exactly: $0) })
    }

    private mutating func release() {
        while let next = held.next() {
            switch next {
            case .event(let event, let stamp, let place): show(event, stamp, place)
            case .other(let body, let stamp, let place): show(body, stamp, place)
            case .lost(let gap): show(gap)
            }
        }
    }

    @inline(__always)
    private mutating func show(_ event: KVMEvent, _ stamp: EventStamp, _ place: EventPlace) {
        guard options.level == nil || options.level == place.level else { return }
        count &+= 1
        line.add(event, stamp, place, to: &block)
        if block.count >= Self.blockSize { flush() }
    }

    private mutating func show(_ body: [UInt8], _ stamp: EventStamp, _ place: EventPlace) {
        guard options.level == nil || options.level == place.level else { return }
        count &+= 1
        line.add(placeOf: stamp, place, to: &block)
        block += body
        if block.count >= Self.blockSize { flush() }
    }

    private mutating func show(_ gap: EventGap) {
        line.add(gap, to: &block)
        if block.count >= Self.blockSize { flush() }
    }

    private mutating func flush() {
        write(block)
        block.removeAll(keepingCapacity: true)
    }
}
