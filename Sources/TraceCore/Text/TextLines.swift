// SPDX-License-Identifier: Apache-2.0

/// The lines of a file, one after the other, in a buffer that doesn't grow with it.
struct TextLines: ~Copyable {
    private let file: InputFile
    private(set) var buffer: [UInt8]
    private var filled = 0
    private var isAtEnd = false
    /// Of the file, where the buffer begins.
    private var base: UInt64 = 0

    /// The line at hand, without its end: of several lines of the file where they were joined.
    private(set) var current = 0..<0
    private var end = 0
    /// Where the next line ends, once somebody has asked.
    private var nextStop: Int?
    /// Of the line at hand, from 1.
    private(set) var number: UInt64 = 0
    private var joined: UInt64 = 0

    /// What is longer is read as several lines.
    static let longest = 1 << 16
    private static let size = 1 << 20

    init(_ file: InputFile) {
        self.file = file
        buffer = [UInt8](repeating: 0, count: Int(min(UInt64(Self.size), max(file.size, 1))))
    }

    /// Bytes of the file up to the line at hand's end.
    var read: UInt64 { base + UInt64(end) }
    /// Of the line at hand.
    var offset: UInt64 { base + UInt64(current.lowerBound) }

    /// Goes on to the next line.
    /// - Returns: whether there is one.
    mutating func advance() -> Bool {
        if filled - end < 2 * Self.longest, !isAtEnd { fill() }
        guard end < filled else { return false }
        number += 1 + joined
        joined = 0
        let stop = nextStop ?? lineEnd(from: end)
        nextStop = nil
        current = end..<stop
        end = past(stop)
        return true
    }

    /// The line after the one at hand.
    mutating func next() -> Range<Int>? {
        guard end < filled else { return nil }
        let stop = nextStop ?? lineEnd(from: end)
        nextStop = stop
        return end..<stop
    }

    /// Takes the next line into the one at hand, where both together are not too long.
    mutating func join(_ next: Range<Int>) -> Bool {
        guard next.upperBound - current.lowerBound <= Self.longest else { return false }
        current = current.lowerBound..<next.upperBound
        nextStop = nil
        end = past(next.upperBound)
        joined += 1
        return true
    }

    private func lineEnd(from start: Int) -> Int {
        let limit = min(filled, start + Self.longest)
        return buffer.span.lineEnd(from: start, to: limit)
    }

    private func past(_ stop: Int) -> Int {
        stop < filled && buffer[stop] == Span<UInt8>.lineFeed ? stop + 1 : stop
    }

    /// Makes room behind what isn't read yet, and reads on.
    private mutating func fill() {
        // A slice would share the buffer, and have it copied.
        buffer.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[end..<filled])) }
        base += UInt64(end)
        filled -= end
        (current, end, nextStop) = (0..<0, 0, nil)
        let place = base + UInt64(filled)
        let count = buffer.withUnsafeMutableBytes {
            file.read(at: place, into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
        }
        filled += count
        isAtEnd = filled < buffer.count
    }
}
