// SPDX-License-Identifier: Apache-2.0

/// Where a trace.dat's sections (version 7) or parts (version 6) start and end.
///
/// Found without the reader that is under test.
struct SectionEdges {
    private(set) var offsets: [UInt64] = []
    private let file: DamagedFile
    private var position: UInt64 = 10

    init(_ file: DamagedFile) {
        self.file = file
        let version = string()
        position += 2 + 4
        if version == "7" { sections() } else { parts() }
    }

    private mutating func edge() {
        offsets.append(position)
    }

    private mutating func number(_ bytes: Int) -> UInt64 {
        defer { position += UInt64(bytes) }
        return file.bytes(at: position, count: bytes).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func string() -> String {
        let text = file.bytes(at: position, count: 256).prefix { $0 != 0 }
        position += UInt64(text.count) + 1
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func sections() {
        _ = string()
        _ = string()
        position += 8
        while position + 16 <= file.size {
            edge()
            position += 8
            let size = number(8)
            edge()
            position += size
        }
    }

    private mutating func parts() {
        for _ in 0..<2 {
            edge()
            _ = string()
            position += number(8)
        }
        edge()
        formats()
        edge()
        for _ in 0..<number(4) {
            _ = string()
            edge()
            formats()
        }
        // Symbols, printk formats and command lines.
        for size in [4, 4, 8] {
            edge()
            position += number(size)
        }
        edge()
        position += 4
        edge()
        if string().hasPrefix("options") {
            while number(2) != 0 {
                position += number(4)
                edge()
            }
            edge()
            _ = string()
        }
        edge()
    }

    private mutating func formats() {
        for _ in 0..<number(4) {
            position += number(8)
        }
    }
}
