// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import apictrace

/// A copy of the tool whose file has capabilities, as docs/privileges.md says to grant them, run by a user who has none.
struct GrantedTool: ~Copyable {
    /// Root's, and open to everybody: the tool, and what a test puts beside it.
    let folder: URL
    private let tool: URL

    static let user: uid_t = 65534

    /// Each says by itself why a test was skipped.
    static let needs: [any SuiteTrait & TestTrait] = [
        .enabled(if: geteuid() == 0, "granting capabilities takes root"),
        .enabled(if: access("/usr/bin/setpriv", X_OK) == 0, "setpriv is not installed"),
        .enabled(if: access("/usr/sbin/setcap", X_OK) == 0, "setcap is not installed"),
        .enabled(if: heedsFileCapabilities, "the folder for temporary files is mounted nosuid"),
    ]

    private static let heedsFileCapabilities: Bool = {
        var volume = statvfs()
        return statvfs(FileManager.default.temporaryDirectory.path, &volume) == 0
            && volume.f_flag & UInt(ST_NOSUID) == 0
    }()

    /// - Parameter capabilities: nil for none.
    init(_ capabilities: String? = Capabilities.fileCapabilities) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        tool = folder.appendingPathComponent("apictrace")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        try FileManager.default.copyItem(at: Command.directory.appendingPathComponent("apictrace"), to: tool)
        guard let capabilities else { return }
        let grant = try Command(running: URL(fileURLWithPath: "/usr/sbin/setcap"), [capabilities, tool.path])
        try #require(grant.status == 0, "\(grant.errors)")
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    func run(_ arguments: String...) throws -> Command {
        try Command(running: URL(fileURLWithPath: "/usr/bin/setpriv"), asUser + arguments)
    }

    /// Started, and not waited for.
    func start(_ arguments: String..., input: Pipe) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = asUser + arguments
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// A file in ``folder`` that only root may read and write.
    func secret(_ name: String, _ content: Data) throws -> URL {
        let file = folder.appendingPathComponent(name)
        try content.write(to: file)
        chmod(file.path, 0o600)
        return file
    }

    /// A folder in ``folder`` that is the user's own.
    func own(_ name: String) throws -> URL {
        let own = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: false)
        chown(own.path, Self.user, Self.user)
        return own
    }

    private var asUser: [String] {
        ["--reuid", "\(Self.user)", "--regid", "\(Self.user)", "--clear-groups", "--", tool.path]
    }
}
