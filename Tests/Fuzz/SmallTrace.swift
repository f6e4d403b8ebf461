// SPDX-License-Identifier: Apache-2.0
#if DEBUG
    /// A few formats and pages of a recording as a trace.dat of a few kilobytes: most of a real one is formats and symbols that
    /// a whole run would spend its time on.
    struct SmallTrace {
        /// Format texts of KVM's events, shortened.
        var formats: [[UInt8]] = []
        /// Of one CPU each.
        var pages: [[UInt8]] = []

        private static let pageSize = 4096

        private static func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }

        private static func text(_ text: String) -> [UInt8] { number(UInt64(text.utf8.count)) + Array(text.utf8) }

        private static func string(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

        private static func head(_ version: String) -> [UInt8] {
            [0x17, 0x08, 0x44] + string("tracing\(version)") + [0, 8] + number(UInt32(pageSize))
        }

        private static func padded(_ bytes: [UInt8]) -> [UInt8] {
            bytes + [UInt8](repeating: 0, count: (pageSize - bytes.count % pageSize) % pageSize)
        }

        private var headers: [UInt8] {
            Self.string("header_page") + Self.text("\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n")
                + Self.string("header_event") + Self.text("")
        }

        private var formatSection: [UInt8] {
            Self.number(UInt32(1)) + Self.string("kvm") + Self.number(UInt32(formats.count))
                + formats.flatMap { Self.number(UInt64($0.count)) + $0 }
        }

        var version6: [UInt8] {
            var file = Self.head("6") + headers + Self.number(UInt32(0)) + formatSection
            file += Self.number(UInt32(0)) + Self.number(UInt32(0)) + Self.text("7 qemu\n")
            file += Self.number(UInt32(pages.count)) + Self.string("options  ")
            file += Self.number(UInt16(2)) + Self.number(UInt32(11)) + Array("overrun: 9\n".utf8)
            file += Self.number(UInt16(0)) + Self.string("flyrecord")
            var offset = (file.count + 16 * pages.count + Self.pageSize - 1) / Self.pageSize * Self.pageSize
            for page in pages {
                file += Self.number(UInt64(offset)) + Self.number(UInt64(page.count))
                offset += page.count
            }
            return Self.padded(file) + pages.joined()
        }

        var version7: [UInt8] {
            var file = Self.head("7") + Self.string("none") + Self.string("")
            let chain = file.count
            file += Self.number(UInt64(0))
            func section(_ id: UInt16, _ content: [UInt8]) -> UInt64 {
                let start = UInt64(file.count)
                file += Self.number(id) + Self.number(UInt16(0)) + Self.number(UInt32(0))
                file += Self.number(UInt64(content.count)) + content
                return start
            }
            func option(_ id: UInt16, _ payload: [UInt8]) -> [UInt8] {
                Self.number(id) + Self.number(UInt32(payload.count)) + payload
            }
            var options: [UInt8] = []
            for (id, content) in [
                (UInt16(16), headers), (18, formatSection), (19, Self.number(UInt32(9)) + Array("0 t name\n".utf8)),
                (21, Self.text("7 qemu\n")),
            ] {
                options += option(id, Self.number(section(id, content)))
            }
            // The place of the pages follows from the size of the options, which have a fixed number of bytes to come.
            let data = Self.padded([UInt8](repeating: 0, count: file.count + options.count + 256)).count
            var buffer = Self.number(section(3, [])) + Self.string("") + Self.string("local")
            buffer += Self.number(UInt32(Self.pageSize)) + Self.number(UInt32(pages.count))
            for (index, page) in pages.enumerated() {
                buffer += Self.number(UInt32(index)) + Self.number(UInt64(data + index * Self.pageSize))
                buffer += Self.number(UInt64(page.count))
            }
            let next = section(0, options + option(3, buffer) + option(0, Self.number(UInt64(0))))
            file.replaceSubrange(chain..<(chain + 8), with: Self.number(next))
            return Self.padded(file) + pages.joined()
        }
    }
#endif
