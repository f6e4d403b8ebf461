// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The unit for systemd, by systemd's own tools and under its limits.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct ServiceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func isThere(_ command: String) -> Bool {
        (try? Command(running: URL(filePath: "/bin/bash"), ["-c", "command -v \(command)"]).status) == 0
    }

    @Test(
        .enabled(if: isThere("systemd-analyze"), "systemd-analyze is not installed (Debian: systemd)"),
        .enabled(if: isThere("setpriv"), "setpriv is not installed (Debian: util-linux)"))
    func `systemd takes the unit, and live runs under its limits`() throws {
        let run = try Command(
            running: Self.root.appending(path: "Tests/Service/run.sh"),
            [
                Command.directory.appending(path: "apictrace").path,
                Command.directory.appending(path: "apictrace-guest").path,
            ])
        #expect(run.status == 0, "\(run.output)\(run.errors)")
    }
}
