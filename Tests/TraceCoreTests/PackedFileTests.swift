// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
import Testing

@testable import TraceCore

/// Files that were compressed as a whole, and input that can't be sought in.
@Suite struct PackedFileTests {
    private static let recording = TestFile.fixture("intel/6.12.107/passthrough-2v.dat")

    /// Nil where the tool isn't on this machine.
    private func packed(_ command: String) -> [UInt8]? {
        let bytes = TraceCmd.bytes(of: command)
        return bytes.isEmpty ? nil : bytes
    }

    @Test func `what comes out of a compressed file before it breaks off is read, and the damage reported`() throws {
        guard let bytes = packed("gzip -c '\(Self.recording)'") else { return }
        let whole = try TestFile.read(bytes)
        #expect(whole.totals.cut == nil)
        // From the check sum at its end to the middle of the data.
        for missing in [1, 4, 8, 9, 100, 2000] {
            let read = try TestFile.read(bytes.dropLast(missing))
            #expect(
                read.totals.cut == TraceCut(offset: UInt64(bytes.count - missing), expected: "gzip data that inflates"))
            #expect(read.lines.filter { !$0.hasPrefix("lost") }.count <= whole.lines.count)
        }
        var flipped = bytes
        flipped[bytes.count - 6] ^= 1
        #expect(try TestFile.read(flipped).totals.cut?.expected == "gzip data that inflates")
        #expect(try TestFile.read(flipped).lines == whole.lines)
    }

    @Test func `what lies behind compressed data is damage unless it is zeros`() throws {
        guard let bytes = packed("gzip -c '\(Self.recording)'") else { return }
        #expect(try TestFile.read(bytes + [UInt8](repeating: 0, count: 1000)).totals.cut == nil)
        #expect(try TestFile.read(bytes + Array("more".utf8)).totals.cut != nil)
    }

    @Test func `compressed twice, or with more memory than reading may take, it is to be unpacked`() throws {
        if let bytes = packed("zstd -qc '\(Self.recording)' | gzip -c") {
            #expect(throws: InputError.foreign(file: "test.dat", .packed(by: .zstd))) { try TestFile.read(bytes) }
        }
        // The size of a frame's window is bound to its input's only where that is known.
        if let bytes = packed("cat '\(Self.recording)' | zstd -qc --ultra -22 --long=27") {
            let error = #expect(throws: InputError.foreign(file: "test.dat", .packed(by: .zstd))) {
                try TestFile.read(bytes)
            }
            #expect(error?.description.contains("`zstd --long=31 -dc FILE | apictrace analyze -`") == true)
        }
    }

    @Test func `a frame of user data in front is passed`() throws {
        guard let bytes = packed("zstd -qc '\(Self.recording)'") else { return }
        let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
        let read = try TestFile.read(skippable + bytes)
        #expect(read.totals.cut == nil)
        #expect(read.totals.byName["kvm_exit"] ?? 0 > 0)
    }

    /// Found by fuzzing: zstd 0.6's decoder made of such a chunk whatever lay in its memory.
    @Test func `a frame of a zstd before 1_0 is damage`() throws {
        let header: [UInt8] = [0x00, 0x18, 0x75, 0x1f, 0x00, 0x64, 0x20, 0xe0, 0x2f]
        let inflater = try #require(Inflater(.zstd))
        for first in 0x1e...0x28 as ClosedRange<UInt8> where first != 0x28 {
            let frame = [first, 0xb5, 0x2f, 0xfd] + header
            var output = [UInt8](repeating: 0, count: 64)
            let progress = frame.withUnsafeBytes { frame in
                output.withUnsafeMutableBytes { output in
                    var (input, target) = (frame, output)
                    inflater.restart()
                    return inflater.inflate(&input, into: &target)
                }
            }
            #expect(progress == .corrupt)
        }
    }

    @Test func `chunks that don't fill a CPU's data are damage`() throws {
        let path = TestFile.fixture("amd/6.12-force_avic/l2-smp.dat")
        var bytes = try TestFile.bytes(of: path)
        let container = try TraceContainer(InputFile(path: path))
        let start = try #require(container.instances.first?.cpus.map(\.data.lowerBound).max())
        #expect(bytes[Int(start)] > 1)
        bytes[Int(start)] -= 1
        let read = try TestFile.read(bytes)
        #expect(read.totals.cut?.expected.hasSuffix("'s data's chunks") == true)
        #expect(read.totals.byName["kvm_exit"] ?? 0 > 0)
    }

    @Test(arguments: ["/dev/zero", "/dev/urandom"])
    func `endless input that is no trace is refused by its first bytes`(path: String) {
        #expect(throws: InputError.foreign(file: path, .unknown)) { try Recording(path: path) }
    }

    @Test func `what inflates without end is refused by its first bytes`() {
        guard let bytes = packed("head -c 300000000 /dev/zero | gzip -1c") else { return }
        #expect(throws: InputError.foreign(file: "test.dat", .unknown)) { try TestFile.read(bytes) }
    }

    /// Chunks that a CPU has no room for are read in parts, which the CPUs take in turn.
    @Test(arguments: ["amd/6.12-force_avic/l2-smp.dat", "amd/6.12-force_avic/tc-sid-v7-zlib.dat"])
    func `chunks yield the same pages whatever room there is`(name: String) throws {
        let file = try InputFile(path: TestFile.fixture(name))
        let container = try TraceContainer(file)
        let instance = try #require(container.instances.first { !$0.cpus.isEmpty })
        func pages(room: Int, ahead queue: DispatchQueue? = nil) -> [[[UInt8]]] {
            let inflater = ChunkInflater(container.head.compression, of: file)
            let sources = instance.cpus.map {
                PageSource(
                    "data", of: file, $0.data, pageSize: instance.pageSize, order: .little, room: room,
                    inflater: inflater, ahead: queue)
            }
            var pages = [[[UInt8]]](repeating: [], count: sources.count)
            var haveMore = true
            while haveMore {
                haveMore = false
                for (index, source) in sources.enumerated() {
                    guard let page = source.page() else { continue }
                    pages[index].append(Array(page))
                    haveMore = true
                }
            }
            #expect(sources.allSatisfy { $0.cut == nil })
            return pages
        }
        let whole = pages(room: 1 << 20)
        #expect(whole.joined().count > 1)
        for room in [0, 3 * 4096, 5 * 4096] {
            #expect(pages(room: room) == whole)
            #expect(pages(room: room, ahead: DispatchQueue(label: "ahead")) == whole)
        }
    }
}
