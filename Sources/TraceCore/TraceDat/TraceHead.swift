// SPDX-License-Identifier: Apache-2.0

/// The first bytes of a trace.dat: what the rest is to be read by.
struct TraceHead {
    static let magic: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing".utf8)

    private static let usualPageSize = 4096

    enum Version: String {
        case v6 = "6"
        case v7 = "7"
    }

    var version: Version
    var order: ByteOrder
    /// Page size of the traced host; where the file's makes no sense, that of every x86 host.
    var pageSize: Int
    /// It made none.
    var damage: TraceCut?
    var compression: Compression
    /// Where the head ends: version 6's parts and version 7's sections follow.
    var end: UInt64
    /// Where version 7's first OPTIONS section starts, 0 in version 6.
    var next: UInt64

    init(_ file: InputFile) throws(InputError) {
        let version: String
        let compression: String
        do throws(TraceCut) {
            let start = UInt64(Self.magic.count)
            var reader = Self.reader(file, at: start, order: .little)
            version = try reader.string()
            order = try reader.byte() == 0 ? .little : .big
            reader = Self.reader(file, at: reader.offset, order: order)
            _ = try reader.byte()
            let before = reader.cut
            pageSize = Int(try reader.integer(UInt32.self))
            if !PageLayout.isPageSize(pageSize) { (pageSize, damage) = (Self.usualPageSize, before) }
            if version == Version.v7.rawValue {
                compression = try reader.string()
                _ = try reader.string()
                next = try reader.integer()
            } else {
                compression = Compression.none.rawValue
                next = 0
            }
            end = reader.offset
        } catch {
            throw .damaged(file: file.name, error)
        }
        guard let version = Version(rawValue: version) else {
            throw .unsupportedVersion(file: file.name, version: version)
        }
        guard let compression = Compression(rawValue: compression), compression != .gzip else {
            throw .unsupportedCompression(file: file.name, name: compression)
        }
        self.version = version
        self.compression = compression
    }

    private static func reader(_ file: InputFile, at offset: UInt64, order: ByteOrder) -> SectionReader {
        SectionReader("the head of a trace.dat", of: file, offset..<max(offset, file.size), order: order)
    }
}
