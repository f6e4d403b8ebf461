// SPDX-License-Identifier: Apache-2.0

/// The last bytes of every page of a recording of ours: whose page it is, and the how manieth.
///
/// While live tracing goes on pages lie in the file as they come, and no table says where: a recorder that is killed leaves it
/// at that. The labels are behind the bytes that the page's header tells of, where other readers don't look.
struct PageLabel: Equatable {
    static let size = 16
    /// Bytes of a page that has one.
    static let pageSize = 4096
    private static let magic = Array("apicpage".utf8)

    var cpu: UInt32
    /// Counts the CPU's pages from 0.
    var number: UInt32

    init(cpu: UInt32, number: UInt32) {
        self.cpu = cpu
        self.number = number
    }

    /// Nil for bytes that are no label.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.size, bytes.starts(with: Self.magic) else { return nil }
        func word(_ offset: Int) -> UInt32 {
            let start = bytes.startIndex + offset
            return bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        self.init(cpu: word(8), number: word(12))
        guard cpu < BufferInstance.mostCPUs else { return nil }
    }

    var bytes: [UInt8] {
        var bytes = LittleEndianBytes(Self.magic)
        bytes.number(cpu)
        bytes.number(number)
        return bytes.bytes
    }
}
