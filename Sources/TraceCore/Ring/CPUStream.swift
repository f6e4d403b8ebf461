// SPDX-License-Identifier: Apache-2.0

/// One CPU's events and gaps in the order in which they were recorded, from its pages.
struct CPUStream {
    let cpu: Int32
    /// Index of the buffer in the file.
    let instance: Int
    /// Time of the event or gap that comes next.
    var headTime: UInt64 = 0
    private(set) var isDone = false
    /// Set where a gap comes next.
    private(set) var gap: EventGap?
    var cursor = PageCursor()
    let tally: RecordTally
    /// Time of the first and the last record so far, whatever its kind.
    private(set) var first: UInt64?
    private(set) var last: UInt64?
    /// Where the data broke off or stopped making sense: no page after it is read.
    private(set) var cut: TraceCut?
    /// Pages that start before the one before them ended, or in which time goes back.
    private(set) var stepsBack = 0
    /// The first page that is read but doesn't make sense.
    private(set) var misfit: TraceCut?

    private let source: PageSource
    private let layout: PageLayout
    private var pageHasRecords = false

    init(cpu: Int32, instance: Int, source: PageSource, layout: PageLayout, tally: RecordTally) {
        self.cpu = cpu
        self.instance = instance
        self.source = source
        self.layout = layout
        self.tally = tally
    }

    /// Goes to the next event or gap.
    @inline(__always)
    mutating func advance() {
        if cursor.next(tally) {
            headTime = cursor.time
        } else {
            turnPage()
        }
    }

    /// Goes past the gap that was next.
    mutating func passGap() {
        gap = nil
        if cut == nil { advance() } else { end() }
    }

    @inline(never)
    mutating func turnPage() {
        repeat {
            if pageHasRecords { last = max(last ?? 0, cursor.time) }
            if cursor.goesBack { noteStepBack("a page of CPU \(cpu) with stamps that don't go back") }
            if let fault = cursor.fault { return breakOff(source.cut ?? describe(fault)) }
            guard let page = source.page() else {
                if let cut = source.cut { return breakOff(cut) }
                return end()
            }
            guard let next = PageCursor(page: page, layout: layout) else {
                return breakOff(
                    source.cut
                        ?? TraceCut(offset: source.offset(inPage: page.count), expected: "the rest of a page's header"))
            }
            open(next)
            if gap != nil { return }
        } while !cursor.next(tally)
        headTime = cursor.time
    }

    private mutating func open(_ page: PageCursor) {
        cursor = page
        if page.hidesBytes { noteMisfit("a page of CPU \(cpu) that is empty, as it says") }
        let start = page.firstTime()
        pageHasRecords = start != nil
        switch page.loss {
        case .none: break
        case .uncounted: announce(to: start ?? page.time, events: nil)
        case .counted(let events): announce(to: start ?? page.time, events: events)
        }
        guard let start else { return }
        first = first ?? start
        guard let last, start < last else { return }
        noteStepBack("a page of CPU \(cpu) that starts at \(last) or later, not at \(start)")
    }

    private mutating func noteStepBack(_ expected: String) {
        stepsBack += 1
        noteMisfit(expected)
    }

    private mutating func noteMisfit(_ expected: String) {
        misfit = misfit ?? TraceCut(offset: source.offset(inPage: 0), expected: expected)
    }

    private mutating func announce(to: UInt64?, events: UInt64?) {
        gap = EventGap(instance: instance, cpu: cpu, from: last, to: to, events: events)
        headTime = last ?? 0
    }

    private mutating func breakOff(_ cut: TraceCut) {
        self.cut = cut
        announce(to: nil, events: nil)
    }

    private mutating func end() {
        isDone = true
        headTime = .max
    }

    private func describe(_ fault: PageCursor.Fault) -> TraceCut {
        switch fault {
        case .overfull(let claimed):
            TraceCut(
                offset: source.offset(inPage: 8),
                expected: "a page of CPU \(cpu) with at most \(layout.capacity) bytes of records, not \(claimed)")
        case .overrun(let offset):
            TraceCut(
                offset: source.offset(inPage: offset), expected: "a record of CPU \(cpu) that ends inside its page")
        case .cut:
            TraceCut(offset: source.offset(inPage: 0), expected: "a whole page of CPU \(cpu)")
        }
    }
}
