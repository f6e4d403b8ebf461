// SPDX-License-Identifier: Apache-2.0

/// What lies where in a recording: the head and the buffer's header, two areas for what describes the records, room for pages
/// on their way, then the pages.
///
/// Eight bytes of the head lead to one of the areas. The next description goes to the other, and then those eight bytes make it
/// count: whatever ends the process, a whole description is there. All but the pages has its room from the start, so that a
/// recording can be completed on a disk that is full.
struct RecordingPlan {
    private static let pageSize = UInt64(PageBuilder.pageSize)
    /// For formats and saved command lines.
    private static let areaSize: UInt64 = 128 << 10
    /// A CPU's line in the table of pages, and its statistics.
    private static let sizeForCPU: UInt64 = 160

    let head: [UInt8]
    let areaSize: UInt64
    /// The area that counts, 0 or 1.
    private(set) var area: UInt64 = 0

    /// For a file that is written in one go, and described at its end.
    static func inOneGo() -> RecordingPlan { RecordingPlan(areaSize: 0) }

    /// - Parameter cpus: that the host has.
    init(cpus: Int) {
        self.init(areaSize: Self.areaSize + UInt64(clamping: cpus) * Self.sizeForCPU)
    }

    private init(areaSize size: UInt64) {
        var head = LittleEndianBytes(TraceHead.magic)
        head.string(TraceHead.Version.v7.rawValue)
        head.number(UInt8(0))  // little endian
        head.number(UInt8(8))
        head.number(UInt32(Self.pageSize))
        head.string(Compression.none.rawValue)
        head.string("")
        self.head = head.bytes
        areaSize = (size + Self.pageSize - 1) / Self.pageSize * Self.pageSize
    }

    /// Where the head tells where the first options are.
    var pointer: UInt64 { UInt64(head.count) }
    /// Where the buffer's section starts, which everything else lies in: whoever goes from section to section finds it.
    var buffer: UInt64 { pointer + 8 }
    /// Where the next description goes.
    var spare: UInt64 { Self.pageSize + (1 - area) * areaSize }
    /// Where the pages start.
    var data: UInt64 { Self.pageSize + 2 * areaSize + PageStore.scratchSize }

    /// The spare area counts from now on.
    mutating func swapAreas() {
        area = 1 - area
    }
}
