// SPDX-License-Identifier: Apache-2.0
#if DEBUG
    @testable import TraceCore

    /// Edits of a text by lines, as mailers and authors make them, behind a few bytes that say which: the bytes of lines
    /// libFuzzer changes by itself.
    enum TextEdits {
        /// Two bytes each: what is done, and to which line.
        private static let headSize = 16

        static func edited(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
            guard bytes.count > headSize else { return [] }
            var lines = bytes[headSize...].split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
            for index in stride(from: 0, to: headSize, by: 2) where !lines.isEmpty {
                let place = Int(bytes[index + 1]) * lines.count / 256
                edit(&lines, bytes[index], at: place)
            }
            return Array(lines.joined(separator: [0x0a]))
        }

        private static func edit(_ lines: inout [[UInt8]], _ edit: UInt8, at place: Int) {
            let line = lines[place]
            let amount = Int(edit >> 4)
            switch edit & 15 {
            case 1: lines.remove(at: place)
            case 2: lines.insert(line, at: place)
            case 3: lines.insert(line, at: amount * lines.count / 16)
            case 4: lines.swapAt(place, amount * lines.count / 16)
            case 5: lines = lines.map { Array("> ".utf8) + $0 }
            case 6: lines = lines.flatMap { wrapped($0, at: 40 + 4 * amount) }
            case 7: lines = lines.map { $0 + [0x0d] }
            case 8: lines[place] = Array(line.prefix(line.count * amount / 16))
            case 9: lines[place] = Array(line.dropFirst(line.count * amount / 16))
            case 10: lines.replaceSubrange(place..., with: [])
            case 11: lines.insert(Array("CPU:\(amount) [LOST 5 EVENTS]".utf8), at: place)
            case 12: lines.insert(Array("[...]".utf8), at: place)
            case 13: lines = [Array("Content-Transfer-Encoding: quoted-printable".utf8), []] + lines
            case 14: lines = lines.map { Array($0.drop { $0 != 0x5b }) }
            case 15: lines += lines
            default: break
            }
        }

        private static func wrapped(_ line: [UInt8], at width: Int) -> [[UInt8]] {
            guard line.count > width, let blank = line[..<width].lastIndex(of: 0x20), blank > 0 else { return [line] }
            return [Array(line[..<blank]), Array(line[(blank + 1)...])]
        }
    }

    /// Counts events, none of which may be earlier than the one before it.
    struct TimeOrder: EventSink {
        private(set) var events: UInt64 = 0
        private var time: UInt64 = 0

        mutating func take(_ item: TraceItem, at stamp: EventStamp) {
            guard case .event = item else { return }
            precondition(stamp.time >= time, "time goes back")
            time = stamp.time
            events += 1
        }
    }
#endif
