// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Testing

@testable import apictrace

/// The memory protocol, on a file laid out as the kernel lays out a ring of one page.
@Suite struct MappedRingTests {
    private static let size = 4096

    /// A file of consumer page, producer page and the data twice.
    private func ring(produced: UInt64, consumed: UInt64 = 0, records: [(at: Int, length: UInt32, byte: UInt8)])
        -> Int32
    {
        let file = tmpfile()
        let descriptor = dup(fileno(file))
        fclose(file)
        ftruncate(descriptor, off_t(4 * Self.size))
        var (consumed, produced) = (consumed, produced)
        pwrite(descriptor, &consumed, 8, 0)
        pwrite(descriptor, &produced, 8, off_t(Self.size))
        for record in records {
            // Each byte in both copies, as one page mapped twice would have it.
            let word = withUnsafeBytes(of: record.length, Array.init) + [0, 0, 0, 0]
            let body = [UInt8](repeating: record.byte, count: Int(record.length & 0xfff))
            for (index, byte) in (word + body).enumerated() {
                var byte = byte
                for copy in 0..<2 {
                    let offset = (record.at + index) % Self.size
                    pwrite(descriptor, &byte, 1, off_t((2 + copy) * Self.size + offset))
                }
            }
        }
        return descriptor
    }

    private func drained(_ descriptor: Int32) throws -> (bytes: [[UInt8]], position: UInt64) {
        defer { close(descriptor) }
        var ring = try MappedRing(descriptor: descriptor, size: Self.size)
        var bytes: [[UInt8]] = []
        try ring.read(into: &bytes) { $0.append(Array($2)) }
        return (bytes, ring.position)
    }

    @Test func `committed records are read up to the producer's position`() throws {
        let result = try drained(ring(produced: 32, records: [(0, 8, 1), (16, 5, 2), (32, 8, 3)]))
        #expect(result.bytes == [[1, 1, 1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2]])
        #expect(result.position == 32)
    }

    @Test func `a record that is still written stops the reader`() throws {
        let result = try drained(ring(produced: 48, records: [(0, 8, 1), (16, 8 | 1 << 31, 2), (32, 8, 3)]))
        #expect(result.bytes == [[1, 1, 1, 1, 1, 1, 1, 1]])
        #expect(result.position == 16)
    }

    @Test func `a discarded record is passed over`() throws {
        let result = try drained(ring(produced: 32, records: [(0, 8 | 1 << 30, 1), (16, 8, 2)]))
        #expect(result.bytes == [[2, 2, 2, 2, 2, 2, 2, 2]])
    }

    @Test func `a record that wraps is read in one piece`() throws {
        let result = try drained(ring(produced: 4112, consumed: 4088, records: [(4088, 12, 9)]))
        #expect(result.bytes == [[UInt8](repeating: 9, count: 12)])
    }

    @Test func `a length beyond what was reserved is an error`() {
        let descriptor = ring(produced: 16, records: [(0, 64, 1)])
        #expect(throws: BPFError("ring buffer", "record of 64 bytes at 0", code: EBADMSG)) {
            try drained(descriptor)
        }
    }

    @Test func `a record stays until it is released, and is given back up to there`() throws {
        let descriptor = ring(produced: 32, records: [(0, 8, 1), (16, 5, 2)])
        defer { close(descriptor) }
        var ring = try MappedRing(descriptor: descriptor, size: Self.size)
        var positions: [UInt64] = []
        try ring.read(into: &positions) { positions, position, _ in positions.append(position) }
        #expect(positions == [0, 16])
        #expect(ring.kept == 32)
        #expect(Array(ring.record(at: 16)) == [2, 2, 2, 2, 2])
        ring.release(to: 16)
        #expect(ring.kept == 16)
        var consumed: UInt64 = 0
        pread(descriptor, &consumed, 8, 0)
        #expect(consumed == 16)
        #expect(Array(ring.record(at: 16)) == [2, 2, 2, 2, 2])
    }

    @Test(arguments: [0, 32, 48, UInt64.max]) func `what is not kept is no record`(place: UInt64) throws {
        let descriptor = ring(produced: 32, records: [(0, 8, 1), (16, 8, 2), (32, 8, 3)])
        defer { close(descriptor) }
        var ring = try MappedRing(descriptor: descriptor, size: Self.size)
        var none: Void = ()
        try ring.read(into: &none) { _, _, _ in }
        ring.release(to: 16)
        #expect(ring.record(at: place).isEmpty)
    }

    @Test func `more than was read can't be released`() throws {
        let descriptor = ring(produced: 32, records: [(0, 8, 1), (16, 8, 2)])
        defer { close(descriptor) }
        var ring = try MappedRing(descriptor: descriptor, size: Self.size)
        ring.release(to: 32)
        #expect(ring.kept == 0)
        var consumed: UInt64 = 9
        pread(descriptor, &consumed, 8, 0)
        #expect(consumed == 0)
    }
}
