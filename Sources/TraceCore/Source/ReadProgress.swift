// SPDX-License-Identifier: Apache-2.0

/// How much of a trace's data has been read so far: told with each block of pages, never with each event.
final class ReadProgress {
    private var read: UInt64 = 0
    private let total: UInt64
    private let show: (_ read: UInt64, _ total: UInt64) -> Void

    init(total: UInt64, show: @escaping (_ read: UInt64, _ total: UInt64) -> Void) {
        self.total = total
        self.show = show
    }

    func advance(by bytes: Int) {
        read = min(total, read &+ UInt64(bytes))
        show(read, total)
    }
}
