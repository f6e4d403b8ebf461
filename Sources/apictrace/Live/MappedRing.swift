// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// The consumer's side of a BPF ring buffer's memory protocol (kernel/bpf/ringbuf.c); waiting is done elsewhere.
///
/// Mapped are a page with the consumer's position, a page with the producer's, then the data twice in a row, so
/// that a record that wraps can be read in one piece. Only the first page can be written from here.
struct MappedRing: ~Copyable {
    private let consumer: UnsafeMutableRawPointer
    private let producer: UnsafeMutableRawPointer
    private let data: UnsafeRawPointer
    private let page: Int
    private let size: Int
    /// Ours alone to advance, so that it needs no load.
    private var position: UInt64

    private static let busyBit: UInt32 = 1 << 31
    private static let discardBit: UInt32 = 1 << 30
    /// A record's length word and the page offset of its memory, which only the kernel uses.
    private static let headerSize = 8

    /// - Parameter size: the map's `max_entries`.
    init(descriptor: Int32, size: Int) throws(BPFError) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard let first = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), first != MAP_FAILED
        else { throw .last("mmap", "ring") }
        guard let second = mmap(nil, page + 2 * size, PROT_READ, MAP_SHARED, descriptor, off_t(page)),
            second != MAP_FAILED
        else {
            let error = BPFError.last("mmap", "ring")
            munmap(first, page)
            throw error
        }
        self.page = page
        self.size = size
        consumer = first
        producer = second
        data = UnsafeRawPointer(second + page)
        position = cbpf_load_acquire_64(first)
    }

    deinit {
        munmap(producer, page + 2 * size)
        munmap(consumer, page)
    }

    /// Where the next record will be reserved.
    var producerPosition: UInt64 { cbpf_load_acquire_64(producer) }
    /// Up to where records have been read.
    var consumerPosition: UInt64 { position }

    /// Lends each committed record in turn, up to the first that its producer still writes.
    ///
    /// The bytes are the kernel's pages: valid only during the call. Stops with `EBADMSG` at a length that can't be.
    mutating func drain<State>(
        into state: inout State, _ body: (inout State, UnsafeRawBufferPointer) -> Void
    ) throws(BPFError) {
        let end = cbpf_load_acquire_64(producer)
        while position < end {
            let offset = Int(position & UInt64(size &- 1))
            let word = cbpf_load_acquire_32(data + offset)
            guard word & Self.busyBit == 0 else { break }
            let length = Int(word & ~Self.discardBit)
            let step = (length + Self.headerSize + 7) & ~7
            // The record must lie inside what was reserved, hence inside the doubly mapped data too.
            guard UInt64(step) <= end &- position, step <= size else {
                throw BPFError("ring buffer", "record of \(length) bytes at \(position)", code: EBADMSG)
            }
            if word & Self.discardBit == 0 {
                body(&state, UnsafeRawBufferPointer(start: data + offset + Self.headerSize, count: length))
            }
            position &+= UInt64(step)
        }
        cbpf_store_release_64(consumer, position)
    }
}
