// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Small files that are large inside.
@Suite struct InflationLimitTests {
    @Test func `a gigabyte is free, and then it is a matter of proportion`() {
        let limit = InflationLimit()
        #expect(limit.bytes(ofFile: 300_000) == 1 << 30)
        #expect(limit.bytes(ofFile: 100 << 20) == 250 * 100 << 20)
        #expect(limit.bytes(ofFile: 10 << 30) == 64 << 30)
        #expect(limit.bytes(ofChunks: 10 << 30) == 2500 << 30)
        #expect(limit.bytes(ofChunks: .max) == .max)
        #expect(InflationLimit(bytes: 5000).bytes(ofFile: 10 << 30) == 5000)
    }

    @Test(arguments: ["gzip -9 -c", "zstd -q -c"])
    func `a whole file that inflates too far is refused`(packer: String) throws {
        let recording = TestFile.fixture("intel/6.12.107/passthrough-2v.dat")
        // A recording's head, and zeros without end.
        let bytes = TraceCmd.bytes(of: "(cat '\(recording)'; head -c 3000000 /dev/zero) | \(packer)")
        guard !bytes.isEmpty else { return }
        func open(_ limit: InflationLimit) throws -> Recording {
            try Recording(descriptor: TestFile.descriptor(bytes), name: "bomb", limit: limit)
        }
        #expect(throws: InputError.inflatesTooFar(file: "bomb", bytes: 2_000_000)) {
            try open(InflationLimit(bytes: 2_000_000))
        }
        _ = try open(InflationLimit(bytes: 4_000_000))
        _ = try open(InflationLimit())
    }

    @Test func `chunks that inflate too far are a cut, and what came before is kept`() throws {
        let path = TestFile.fixture("amd/6.12-force_avic/lost.dat")
        let whole = try TestFile.read(Recording(path: path))
        let some = try TestFile.read(Recording(path: path, limit: InflationLimit(bytes: 60_000)))
        #expect(some.totals.cut?.expected == "no more than 60000 bytes of inflated data (--max-size)")
        #expect(some.lines.count > 10)
        #expect(some.lines.count < whole.lines.count)
    }
}
