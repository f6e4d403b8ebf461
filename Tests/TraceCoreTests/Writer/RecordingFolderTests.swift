// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// A folder that one run fills, where others may put things.
@Suite final class RecordingFolderTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    private static let moment: Int64 = 1_795_834_228

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    private func name(_ number: Int) -> String { String(format: "apictrace-20261128T025028Z-%06d.dat", number) }

    private func put(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
    }

    private let recording = RecordingPlan.inOneGo().head + [0, 0]

    private func refusal(_ path: String) -> String? {
        do throws(TraceWriterError) {
            _ = try RecordingFolder(path: path)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `it is made for its user alone where its parent is there`() throws {
        _ = try RecordingFolder(path: path)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
        #expect(refusal(path + "/a/b")?.contains("the folder can't be made: No such file or directory") == true)
    }

    @Test func `a file is no folder`() throws {
        _ = try RecordingFolder(path: path)
        try put([1], "file")
        #expect(refusal(path + "/file")?.contains("the folder can't be opened: Not a directory") == true)
    }

    @Test func `two runs don't fill one folder`() throws {
        var first: RecordingFolder? = try RecordingFolder(path: path)
        #expect(refusal(path)?.contains("another run records into this folder; name another one") == true)
        withExtendedLifetime(first) {}
        first = nil
        #expect(refusal(path) == nil)
    }

    @Test func `what is there is never written to`() throws {
        let folder = try RecordingFolder(path: path)
        try put([7], name(1))
        symlink("/etc/passwd", path + "/" + name(2))
        mkdir(path + "/" + name(3), 0o700)
        let file = try folder.newFile(at: Self.moment)
        close(file.descriptor)
        #expect(file.path == path + "/" + name(4))
        #expect(try Data(contentsOf: URL(filePath: path + "/" + name(1))) == Data([7]))
    }

    @Test func `names go on from one run to the next`() throws {
        _ = try RecordingFolder(path: path)
        try put(recording, name(41))
        // Neither is a file of a run's.
        symlink("/etc/passwd", path + "/apictrace-20991128T025028Z-000050.dat")
        try put([], "apictrace-20991128T025028Z-60.dat")
        let file = try RecordingFolder(path: path).newFile(at: Self.moment - 5)
        close(file.descriptor)
        #expect(file.path == path + "/" + name(42))
    }

    @Test func `where no name is left that is told`() throws {
        _ = try RecordingFolder(path: path)
        try put(recording, "apictrace-99991231T235959Z-999999.dat")
        let folder = try RecordingFolder(path: path)
        #expect(throws: TraceWriterError.self) { _ = try folder.newFile(at: Self.moment) }
    }

    @Test func `the oldest recordings go, and nothing else does`() throws {
        let folder = try RecordingFolder(path: path)
        for number in 1...9 { try put(recording, name(number)) }
        // A run that was killed before anything came, or before its first bytes were there.
        try put([], name(2))
        try put([UInt8](repeating: 0, count: 5000), name(3))
        // Of the oldest these are none of ours, and each of them could be taken for one.
        try put(Array("precious".utf8), name(4))
        unlink(path + "/" + name(5))
        symlink(path + "/" + name(9), path + "/" + name(5))
        link(path + "/" + name(6), path + "/other")
        let written = open(path + "/" + name(7), O_RDWR)
        flock(written, LOCK_EX)
        mkdir(path + "/" + name(0), 0o700)
        for other in ["notes.txt", name(1) + ".keep"] { try put(recording, other) }
        try folder.removeOldest(keeping: 1)
        close(written)
        let others = [name(0), name(4), name(5), name(6), name(7), "notes.txt", "other", name(1) + ".keep"]
        #expect(try names() == (others + [name(9)]).sorted())
    }

    @Test(.enabled(if: geteuid() == 0, "giving a file to another user takes root"))
    func `another user's recording stays`() throws {
        let folder = try RecordingFolder(path: path)
        for number in 1...3 { try put(recording, name(number)) }
        chown(path + "/" + name(1), 65534, 65534)
        try folder.removeOldest(keeping: 1)
        #expect(try names() == [name(1), name(3)])
    }

    @Test func `as many stay as are asked for`() throws {
        let folder = try RecordingFolder(path: path)
        for number in 1...5 { try put(recording, name(number)) }
        try folder.removeOldest(keeping: 7)
        #expect(try names().count == 5)
        try folder.removeOldest(keeping: 2)
        #expect(try names() == [name(4), name(5)])
    }

    @Test func `whether a file can be made shows without one`() throws {
        let folder = try RecordingFolder(path: path)
        try folder.check()
        #expect(try names() == [])
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: TraceWriterError.self) { try folder.check() }
        #expect(throws: TraceWriterError.self) { _ = try folder.newFile(at: Self.moment) }
    }
}
