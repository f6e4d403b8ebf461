// SPDX-License-Identifier: Apache-2.0

/// The sixteen bytes in front of each of version 7's sections.
struct SectionHeader {
    private static let size: UInt64 = 16

    var id: UInt16
    var isCompressed: Bool
    /// The section's content, as far as the file goes.
    var body: Range<UInt64>

    init(_ part: String, of file: InputFile, at offset: UInt64, order: ByteOrder) throws(TraceCut) {
        guard file.size >= Self.size, offset <= file.size - Self.size else {
            throw TraceCut(offset: file.size, expected: "\(part) at \(offset)")
        }
        var reader = SectionReader("the header of \(part)", of: file, offset..<file.size, order: order)
        id = try reader.integer()
        isCompressed = try reader.integer(UInt16.self) & 1 != 0
        try reader.skip(4)
        let size = try reader.integer(UInt64.self)
        body = reader.offset..<min(file.size, reader.offset.addingClamped(size))
    }
}
