// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import TraceCore

/// A file that is to be read, as an argument names it or as it was found below a folder.
struct NamedRecording {
    let path: String
    /// Then a file that is no recording is nobody's mistake.
    let isOfFolder: Bool

    /// Folders give way to what is in them and below, in the order of their names.
    static func all(_ arguments: [String]) throws(InputError) -> [NamedRecording] {
        var all: [NamedRecording] = []
        for argument in arguments { all += try named(argument) }
        return all
    }

    private static func named(_ argument: String) throws(InputError) -> [NamedRecording] {
        var isFolder = false
        guard argument != "-", FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder), isFolder,
            // A folder that perf wrote is one recording, which is refused by its name.
            !FileManager.default.fileExists(atPath: argument + "/data")
        else { return [NamedRecording(path: argument, isOfFolder: false)] }
        let below: [String]
        do {
            below = try FileManager.default.subpathsOfDirectory(atPath: argument)
        } catch {
            throw .cannotOpen(file: argument, reason: "the folder can't be listed")
        }
        let folder = argument.hasSuffix("/") ? argument : argument + "/"
        return below.sorted().map { folder + $0 }.filter(isRegular).map {
            NamedRecording(path: $0, isOfFolder: true)
        }
    }

    private static func isRegular(_ path: String) -> Bool {
        let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        return type == .typeRegular
    }

    /// It lies in a folder of recordings, and is none.
    func isPassedOver(for error: InputError) -> Bool {
        guard isOfFolder, case .foreign(_, let format) = error else { return false }
        return format == .text || format == .unknown
    }
}
