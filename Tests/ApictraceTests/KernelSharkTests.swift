// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// KernelShark, which opens what `apictrace cut` makes.
@Suite struct KernelSharkTests {
    @Test func `it opens a part, and no broken one`() throws {
        let part = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).dat").path
        defer { unlink(part) }
        let whole = ExitStatusTableTests.fixture("intel/6.12.107/passthrough-2v")
        let cut = try Command("cut", whole, "--finding", "1", "-o", part)
        #expect(cut.status == 0, "\(cut.errors)")
        try ConsumerScript(name: "kernelshark.py").open([part])
    }
}
