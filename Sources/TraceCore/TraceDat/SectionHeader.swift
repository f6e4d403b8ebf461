// SPDX-License-Identifier: Apache-2.0

/// The sixteen bytes in front of each of version 7's sections.
struct SectionHeader {
    private static let size: UInt64 = 16

    var id: UInt16
    var isCompressed: Bool
    /// The section's name, by its place in the STRINGS section.
    var nameID: UInt32
    /// The section's content, as far as the file goes.
    var body: Range<UInt64>
    /// All of it is in the file.
    var isWhole: Bool

    init(_ part: String, of file: InputFile, at offset: UInt64, order: ByteOrder) throws(TraceCut) {
        guard file.size >= Self.size, offset <= file.size - Self.size else {
            throw TraceCut(offset: file.size, expected: "\(part) at \(offset)")
        }
        var reader = SectionReader("the header of \(part)", of: file, offset..<file.size, order: order)
        id = try reader.integer()
        isCompressed = try reader.integer(UInt16.self) & 1 != 0
        nameID = try reader.integer()
        let size = try reader.integer(UInt64.self)
        let end = reader.offset.addingClamped(size)
        body = reader.offset..<min(file.size, end)
        isWhole = end <= file.size
    }
}
