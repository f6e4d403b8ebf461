// SPDX-License-Identifier: Apache-2.0
import CCompression

/// A thin owner of zlib's or zstd's decompression state, reused from one compressed piece to the next.
final class Inflater {
    enum Progress {
        /// More output is to come, given input and room.
        case more
        case end
        case corrupt
        /// Whoever compressed it allowed itself more memory than reading may take.
        case windowTooLarge
    }

    private enum State {
        case zlib(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    /// The largest window that a frame may ask for, 32 MiB: more than trace-cmd's levels use, less than harms.
    static let zstdWindowLog: Int32 = 25
    /// What zstd's highest level asks for of data whose size it doesn't know, as perf lets it.
    static let largestZstdWindowLog: Int32 = 27

    private let state: State
    /// The next input starts a piece.
    private var isAtStart = true

    /// Nil for `none` and where the library has no memory.
    init?(_ compression: Compression, windowLog: Int32 = zstdWindowLog) {
        switch compression {
        case .none: return nil
        case .zlib, .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            let bits = MAX_WBITS + (compression == .gzip ? 16 : 0)
            guard inflateInit2_(stream, bits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                stream.deallocate()
                return nil
            }
            state = .zlib(stream)
        case .zstd:
            guard let context = ZSTD_createDCtx() else { return nil }
            ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLog)
            state = .zstd(context)
        }
    }

    deinit {
        switch state {
        case .zlib(let stream):
            inflateEnd(stream)
            stream.deallocate()
        case .zstd(let context):
            ZSTD_freeDCtx(context)
        }
    }

    /// Forgets what it has seen: the next input starts a piece.
    func restart() {
        isAtStart = true
        switch state {
        case .zlib(let stream): inflateReset(stream)
        case .zstd(let context): ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        }
    }

    /// Inflates from the front of `input` to the front of `output` and drops from both what it used.
    func inflate(
        _ input: inout UnsafeRawBufferPointer, into output: inout UnsafeMutableRawBufferPointer
    ) -> Progress {
        switch state {
        case .zlib(let stream):
            let limit = Int(UInt32.max)
            let given = (min(input.count, limit), min(output.count, limit))
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(given.0)
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(given.1)
            let result = CCompression.inflate(stream, Z_NO_FLUSH)
            input = UnsafeRawBufferPointer(rebasing: input[(given.0 - Int(stream.pointee.avail_in))...])
            output = UnsafeMutableRawBufferPointer(rebasing: output[(given.1 - Int(stream.pointee.avail_out))...])
            return result == Z_STREAM_END ? .end : result == Z_OK || result == Z_BUF_ERROR ? .more : .corrupt
        case .zstd(let context):
            if let first = input.first {
                guard !isAtStart || Self.startsZstd(first) else { return .corrupt }
                isAtStart = false
            }
            var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
            var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            let result = ZSTD_decompressStream(context, &target, &source)
            input = UnsafeRawBufferPointer(rebasing: input[source.pos...])
            output = UnsafeMutableRawBufferPointer(rebasing: output[target.pos...])
            guard ZSTD_isError(result) != 0 else { return result == 0 ? .end : .more }
            return ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge ? .windowTooLarge : .corrupt
        }
    }

    /// The first byte of a frame, of data or skippable, as RFC 8878 has it. Libraries also read what zstd wrote before 1.0, the
    /// first byte of which is another; of damaged data those decoders yield what happens to lie in memory.
    private static func startsZstd(_ byte: UInt8) -> Bool {
        byte == 0x28 || byte & 0xf0 == 0x50
    }
}
