// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

/// One recording, however its bytes come in: the reports are the same.
@Suite struct InputTests {
    static let recordings = [
        "intel/6.1.192/passthrough-2v", "amd/6.12-force_avic/instances", "amd/6.12-force_avic/lost",
        "amd/6.12-force_avic/truncated-v7-zstd-90pct",
    ]

    private static func url(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "TraceCoreTests/Fixtures/\(name).dat")
    }

    /// Without the path, which standard input hasn't.
    private func report(_ command: Command) throws -> Report {
        var report = try Report(json: command.output)
        report.source.path = nil
        return report
    }

    @Test(arguments: recordings)
    func `standard input reads as the file does`(name: String) throws {
        let file = Self.url(name)
        let direct = try Command("analyze", "--json", file.path)
        let redirected = try Command("analyze", "--json", "-", input: file)
        #expect(try report(redirected) == report(direct))
        #expect(redirected.status == direct.status)
    }

    @Test(arguments: recordings)
    func `two threads say what one does`(name: String) throws {
        let path = Self.url(name).path
        for format in [[], ["--json"], ["--quiet"]] {
            let apictrace = Command.directory.appending(path: "apictrace")
            let one = try Command(running: apictrace, ["analyze", "--threads", "1"] + format + [path])
            let two = try Command(running: apictrace, ["analyze", "--threads", "2"] + format + [path])
            #expect(two.output == one.output)
            #expect(two.status == one.status)
        }
    }

    @Test(arguments: recordings, ["cat", "gzip -c", "zstd -c"])
    func `a pipe reads as the file does, compressed or not`(name: String, packer: String) throws {
        // The tool isn't on every machine.
        let tool = String(packer.prefix { $0 != " " })
        guard try Command(running: URL(filePath: "/bin/sh"), ["-c", "command -v \(tool)"]).status == 0 else { return }
        let file = Self.url(name)
        let direct = try Command("analyze", "--json", file.path)
        let apictrace = Command.directory.appending(path: "apictrace").path
        let piped = try Command(
            running: URL(filePath: "/bin/sh"),
            ["-c", "\(packer) '\(file.path)' | '\(apictrace)' analyze --json -"])
        #expect(try report(piped) == report(direct))
        #expect(piped.status == direct.status)
    }

    @Test(arguments: ["analyze", "analyze --json", "analyze --quiet", "events"])
    func `a disk that is full is reported`(arguments: String) throws {
        let command = try Command(
            running: URL(filePath: "/bin/sh"),
            [
                "-c", "\"$0\" \(arguments) \"$1\" >/dev/full", Command.directory.appending(path: "apictrace").path,
                Self.url("intel/6.1.192/passthrough-2v").path,
            ])
        #expect(command.status == 6)
        #expect(command.errors.hasPrefix("apictrace: standard output: "))
    }
}
