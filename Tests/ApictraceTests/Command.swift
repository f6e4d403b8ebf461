// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The built `apictrace`, run as a user would run it.
struct Command {
    var status: Int32
    var output: String
    var errors: String

    /// Runs it to its end, with a file or nothing as standard input. Nothing here is a terminal: the output is plain.
    init(_ arguments: String..., input: URL? = nil) throws {
        try self.init(running: Self.directory.appendingPathComponent("apictrace"), arguments, input: input)
    }

    init(running executable: URL, _ arguments: [String], input: URL? = nil) throws {
        let process = Process()
        let standardOutput = Pipe()
        // A file rather than a pipe: nobody has to read it while the output is read.
        let errorFile = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data().write(to: errorFile)
        defer { try? FileManager.default.removeItem(at: errorFile) }
        process.executableURL = executable
        process.arguments = arguments
        process.standardInput = try input.map(FileHandle.init(forReadingFrom:)) ?? FileHandle.nullDevice
        process.standardOutput = standardOutput
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try process.run()
        output = String(decoding: standardOutput.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
        errors = String(decoding: try Data(contentsOf: errorFile), as: UTF8.self)
    }

    /// SwiftPM puts products and the test bundle, which is this process, into one folder.
    static let directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()
}
