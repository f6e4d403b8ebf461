// SPDX-License-Identifier: Apache-2.0
#if DEBUG
    import CCompression

    @testable import TraceCore

    /// The records of a ``SmallTrace`` as a perf.data of a few kilobytes, of each kind.
    struct SmallPerf {
        private let texts: [UInt8]
        private let ids: [UInt16]
        private var records: [UInt8] = []

        private static let attributeSize = 128

        init(_ small: SmallTrace) {
            let version6 = small.version6
            let options = version6.firstRange(of: Array("options  \0".utf8))?.lowerBound ?? version6.count
            texts = version6[..<10] + Array("0.6\0".utf8) + version6[12..<(options - 4)]
            ids = small.formats.compactMap { EventFormat.identity(of: $0[...])?.id }
            records = Self.comm
            let tally = RecordTally()
            for id in ids { tally.bind(id: id, to: 0) }
            for (cpu, page) in small.pages.enumerated() {
                page.withUnsafeBytes { page in
                    guard var cursor = PageCursor(page: page, layout: PageLayout(order: .little)) else { return }
                    while cursor.next(tally) {
                        records += Self.sample(Array(cursor.record.bytes), cursor.time, cpu: UInt32(cpu))
                    }
                }
                records += Self.lost(cpu: UInt32(cpu)) + Self.header(68, 0)
            }
        }

        private static func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }

        private static func words(_ words: [UInt64]) -> [UInt8] { words.flatMap(number) }

        private static func header(_ type: UInt32, _ size: Int) -> [UInt8] {
            number(type) + number(UInt16(0)) + number(UInt16(truncatingIfNeeded: 8 + size))
        }

        private static func sample(_ raw: [UInt8], _ time: UInt64, cpu: UInt32) -> [UInt8] {
            let padded = raw + [UInt8](repeating: 0, count: (12 - raw.count % 8) % 8)
            let id = UInt64(raw[0]) | UInt64(raw[1]) << 8
            let body =
                words([id, 0]) + number(UInt32(7)) + raw[4..<8] + words([time, UInt64(cpu), 1])
                + number(UInt32(padded.count)) + padded
            return header(9, body.count) + body
        }

        private static func lost(cpu: UInt32) -> [UInt8] {
            header(2, 56) + words([1, 3, 7 << 32 | 7, 1 << 40, UInt64(cpu), 0]) + words([0])
        }

        private static var comm: [UInt8] {
            header(3, 56) + words([7 << 32 | 7]) + Array("qemu\0\0\0\0".utf8) + words([0, 0, 0, 0, 0])
        }

        private func attribute(_ id: UInt16) -> [UInt8] {
            Self.number(UInt32(2)) + Self.number(UInt32(Self.attributeSize))
                + Self.words([UInt64(id), 1, 0x10587, 0x14, 0x14_0003] + [UInt64](repeating: 0, count: 10))
        }

        var pipe: [UInt8] { pipe(records) }

        /// What `perf record -z` makes of the records.
        var packed: [UInt8] {
            var output = [UInt8](repeating: 0, count: ZSTD_compressBound(records.count))
            let count = ZSTD_compress(&output, output.count, records, records.count, 1)
            guard ZSTD_isError(count) == 0, count < 1 << 15 else { return [] }
            return pipe(Self.header(81, count) + output.prefix(count))
        }

        private func pipe(_ records: [UInt8]) -> [UInt8] {
            var bytes = PerfContainer.magic + Self.words([16])
            for id in ids {
                bytes += Self.header(64, Self.attributeSize + 8) + attribute(id) + Self.words([UInt64(id)])
            }
            bytes += Self.header(66, 8) + Self.words([UInt64(texts.count)]) + texts
            return bytes + [UInt8](repeating: 0, count: (8 - texts.count % 8) % 8) + records
        }

        var file: [UInt8] {
            let start = 104 + ids.count * (8 + Self.attributeSize + 16)
            let head = [
                104, UInt64(Self.attributeSize + 16), UInt64(104 + 8 * ids.count),
                UInt64(ids.count * (Self.attributeSize + 16)), UInt64(start), UInt64(records.count), 0, 0, 2, 0, 0, 0,
            ]
            var bytes = PerfContainer.magic + Self.words(head) + ids.flatMap { Self.words([UInt64($0)]) }
            for (index, id) in ids.enumerated() { bytes += attribute(id) + Self.words([UInt64(104 + 8 * index), 8]) }
            bytes += records + Self.words([UInt64(start + records.count + 16), UInt64(texts.count)])
            return bytes + texts
        }
    }
#endif
