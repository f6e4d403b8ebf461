// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A run of Tests/Guest: one vCPU on the process's one thread.
struct Guest {
    private let process = Process()

    /// Starts it. It stops by itself.
    /// - Parameter parks: it sleeps with interrupts off instead, with 0x41 requested.
    init(ipis: Int, timers: Int, parks: Bool = false) throws {
        process.executableURL = Command.directory.appendingPathComponent("apictrace-guest")
        process.arguments = ["\(ipis)", "\(timers)"] + (parks ? ["park"] : [])
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    var thread: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// Not by a signal that tests may have blocked: a child inherits that.
    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Whether the guest was content with what it got.
    func end() -> Bool {
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
