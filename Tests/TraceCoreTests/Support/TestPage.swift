// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A ring-buffer page put together record by record.
struct TestPage {
    let layout: PageLayout
    let time: UInt64
    private(set) var data: Bytes

    init(time: UInt64, layout: PageLayout = PageLayout(order: .little)) {
        self.layout = layout
        self.time = time
        data = Bytes(order: layout.order)
    }

    private mutating func header(type: UInt32, delta: UInt32) {
        data.number(layout.order == .little ? type | delta << 5 : type << 27 | delta)
    }

    mutating func record(_ bytes: [UInt8], delta: UInt32 = 0) {
        header(type: UInt32((bytes.count + 3) / 4), delta: delta)
        data.bytes += bytes
        data.pad(to: 4)
    }

    /// A record whose length is in a word of its own.
    mutating func longRecord(_ bytes: [UInt8], delta: UInt32 = 0) {
        header(type: 0, delta: delta)
        data.number(UInt32(bytes.count + 4))
        data.bytes += bytes
        data.pad(to: 4)
    }

    mutating func timeExtend(_ delta: UInt64) {
        header(type: 30, delta: UInt32(delta & 0x7ff_ffff))
        data.number(UInt32(truncatingIfNeeded: delta >> 27))
    }

    mutating func timeStamp(_ time: UInt64) {
        header(type: 31, delta: UInt32(time & 0x7ff_ffff))
        data.number(UInt32(truncatingIfNeeded: time >> 27))
    }

    /// An event that was discarded after its room had been taken.
    mutating func discarded(bytes: Int, delta: UInt32 = 1) {
        header(type: 29, delta: delta)
        data.number(UInt32(bytes + 4))
        data.bytes += [UInt8](repeating: 0xff, count: bytes)
    }

    mutating func endPadding() {
        header(type: 29, delta: 0)
    }

    /// - Parameters:
    ///   - lost: nil where nothing was, else how many; 0 for a loss whose count found no room.
    ///   - claimed: what `commit` says instead of the truth.
    func bytes(lost: UInt64? = nil, claimed: UInt64? = nil) -> [UInt8] {
        var page = Bytes(order: layout.order)
        page.number(time)
        var commit = claimed ?? UInt64(data.bytes.count)
        // As the kernel adds it: a negative int.
        if lost != nil { commit &+= UInt64(bitPattern: Int64(Int32.min)) }
        if let lost, lost > 0 { commit &+= 1 << 30 }
        if layout.longSize == 8 { page.number(commit) } else { page.number(UInt32(truncatingIfNeeded: commit)) }
        page.bytes += data.bytes
        if let lost, lost > 0 {
            if layout.longSize == 8 { page.number(lost) } else { page.number(UInt32(lost)) }
        }
        return page.bytes + [UInt8](repeating: 0, count: layout.pageSize - page.bytes.count)
    }
}
