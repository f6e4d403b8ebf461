// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// Where a recording may be written. Root makes it, in folders where others may put things.
@Suite final class OutputFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    private var path: String { folder.appendingPathComponent("trace.dat").path }
    private var precious: URL { folder.appendingPathComponent("precious") }

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        try Data("precious".utf8).write(to: precious)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    private func refusal(_ path: String) -> String? {
        do throws(TraceWriterError) {
            _ = try OutputFile(path: path)
            return nil
        } catch {
            return error.description
        }
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    private var isUntouched: Bool { (try? Data(contentsOf: precious)) == Data("precious".utf8) }

    @Test func `it is its user's alone`() {
        #expect(refusal(path) == nil)
        #expect(mode(path) == 0o600)
    }

    @Test func `an earlier recording of the user's own is closed to others, and stays until something takes its place`()
    {
        chmod(precious.path, 0o644)
        #expect(refusal(precious.path) == nil)
        #expect(isUntouched)
        #expect(mode(precious.path) == 0o600)
    }

    @Test func `it isn't written through a symbolic link`() {
        symlink(precious.path, path)
        #expect(refusal(path)?.contains("it is a symbolic link; name another file") == true)
        #expect(isUntouched)
    }

    @Test func `a symbolic link that leads nowhere yet makes no file`() {
        symlink(folder.appendingPathComponent("new").path, path)
        #expect(refusal(path)?.contains("symbolic link") == true)
        #expect(access(folder.appendingPathComponent("new").path, F_OK) != 0)
    }

    @Test func `it isn't written through a hard link`() {
        link(precious.path, path)
        #expect(refusal(path)?.contains("hard link") == true)
        #expect(isUntouched)
    }

    @Test func `what has no end and no place is refused, without waiting for a reader`() {
        mkfifo(path, 0o600)
        #expect(refusal(path)?.contains("no regular file") == true)
        #expect(refusal(folder.path)?.contains("directory") == true)
        #expect(refusal(folder.path + "/")?.contains("directory") == true)
    }

    @Test func `a device keeps its mode`() {
        let before = mode("/dev/null")
        #expect(refusal("/dev/null") == nil)
        #expect(mode("/dev/null") == before)
    }

    @Test(.enabled(if: geteuid() == 0, "giving a file to another user takes root"))
    func `another user's file in a sticky folder is left alone`() {
        chmod(folder.path, 0o1777)
        chown(precious.path, 65534, 65534)
        #expect(refusal(precious.path)?.contains("another user's") == true)
        #expect(isUntouched)
        // In a folder of root's alone nobody else has put it there.
        chmod(folder.path, 0o755)
        #expect(refusal(precious.path) == nil)
    }

    @Test func `two runs don't write one file`() throws {
        let first = try OutputFile(path: path)
        try first.write([1, 2, 3], at: 0)
        #expect(refusal(path)?.contains("another run is writing it; name another file") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
    }

    @Test func `a path without a folder is in the working directory`() {
        let name = "apictrace-\(UUID().uuidString)"
        defer { unlink(name) }
        #expect(refusal(name) == nil)
        #expect(mode(name) == 0o600)
    }
}
