// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// `apictrace cut` as a command, and KernelShark, which opens what it makes.
@Suite struct CutCommandTests {
    /// Cuts a recording among the tests, and hands over the part.
    private static func cut(_ recording: String, _ options: String..., then: (_ part: String, Command) throws -> Void)
        throws
    {
        let part = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).dat").path
        defer { unlink(part) }
        let cut = try Command(
            running: Command.directory.appending(path: "apictrace"),
            ["cut", ExitStatusTableTests.fixture(recording), "-o", part] + options)
        try then(part, cut)
    }

    @Test func `KernelShark opens a part, and no broken one`() throws {
        try Self.cut("intel/6.12.107/passthrough-2v", "--finding", "1") { part, cut in
            #expect(cut.status == 0, "\(cut.errors)")
            try ConsumerScript(name: "kernelshark.py").open([part])
        }
    }

    @Test func `a part of more than 10 MB says so, and a smaller one doesn't`() throws {
        try Self.cut("bitvisor/6.1.192-svifix-undone-smp2/trace", "--from", "+20") { part, cut in
            #expect(cut.status == 0)
            #expect(cut.errors.hasSuffix("apictrace: that is more than 10 MB\n"))
            let size = try FileManager.default.attributesOfItem(atPath: part)[.size] as? Int
            #expect(size ?? 0 > RecordingPart.largeSize)
        }
        try Self.cut("intel/6.12.107/passthrough-2v", "--finding", "1") { _, cut in
            #expect(!cut.errors.contains("10 MB"))
        }
    }
}
