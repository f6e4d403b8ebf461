// SPDX-License-Identifier: Apache-2.0

/// The shape of one buffer's ring-buffer pages: struct buffer_data_page, kernel/trace/ring_buffer.c, 5.10 to 7.2.
public struct PageLayout: Equatable, Sendable {
    public var order: ByteOrder
    /// Size of the traced kernel's `long`, 4 or 8: the width of `commit` and of a lost count.
    public var longSize: Int
    /// Bytes of a page, its header included. Each buffer may have its own (`buffer_subbuf_size_kb`).
    public var pageSize: Int

    /// The kernel's largest sub-buffer is 128 pages of at most 64 KiB (kernel/trace/trace.c, buffer_subbuf_size_write).
    private static let pageSizes = 64...(128 * 65536)

    /// A sub-buffer is a power of two of pages, and so of bytes, its header included.
    static func isPageSize(_ size: Int) -> Bool {
        pageSizes.contains(size) && size.nonzeroBitCount == 1
    }

    public init(order: ByteOrder, longSize: Int = 8, pageSize: Int = 4096) {
        self.order = order
        self.longSize = longSize
        self.pageSize = pageSize
    }

    /// The time stamp, and `commit`.
    var headerSize: Int { 8 + longSize }
    var capacity: Int { pageSize - headerSize }
}
