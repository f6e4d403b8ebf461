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
    let size: Int
    /// Up to where records have been read.
    private(set) var position: UInt64
    /// Up to where their room is the probes' again.
    private var released: UInt64

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
        released = position
    }

    deinit {
        munmap(producer, page + 2 * size)
        munmap(consumer, page)
    }

    /// Where the next record will be reserved.
    var producerPosition: UInt64 { cbpf_load_acquire_64(producer) }
    /// Bytes of records that were read and are kept.
    var kept: Int { Int(position &- released) }

    /// Lends each committed record that has not been read, with its position, up to the first that its producer still writes.
    /// They stay where they are until ``release(to:)``.
    ///
    /// The bytes are the kernel's pages: valid only during the call. Stops with `EBADMSG` at a length that can't be.
    mutating func read<State>(
        into state: inout State, _ body: (inout State, UInt64, UnsafeRawBufferPointer) -> Void
    ) throws(BPFError) {
        let end = cbpf_load_acquire_64(producer)
        while position < end {
            let word = length(at: position)
            guard word & Self.busyBit == 0 else { break }
            let length = Int(word & ~Self.discardBit)
            let step = Self.step(length)
            // The record must lie inside what was reserved, hence inside the doubly mapped data too.
            guard UInt64(step) <= end &- position, step <= size else {
                throw BPFError("ring buffer", "record of \(length) bytes at \(position)", code: EBADMSG)
            }
            if word & Self.discardBit == 0 { body(&state, position, bytes(at: position, length)) }
            position &+= UInt64(step)
        }
    }

    /// A record that was read and is kept, once more; empty where there is none.
    func record(at place: UInt64) -> UnsafeRawBufferPointer {
        guard place >= released, place < position else { return .init(start: nil, count: 0) }
        let length = Int(length(at: place) & ~Self.discardBit)
        let step = Self.step(length)
        guard UInt64(step) <= position &- place, step <= size else {
            return .init(start: nil, count: 0)
        }
        return bytes(at: place, length)
    }

    /// The room of all records before `place` is the probes' again.
    mutating func release(to place: UInt64) {
        guard place > released, place <= position else { return }
        released = place
        cbpf_store_release_64(consumer, place)
    }

    private func length(at place: UInt64) -> UInt32 {
        cbpf_load_acquire_32(data + Int(place & UInt64(size &- 1)))
    }

    private func bytes(at place: UInt64, _ length: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: data + Int(place & UInt64(size &- 1)) + Self.headerSize, count: length)
    }

    /// From one record to the next.
    private static func step(_ length: Int) -> Int { (length + headerSize + 7) & ~7 }
}
