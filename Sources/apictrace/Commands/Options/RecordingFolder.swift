// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import TraceCore

/// A file that is to be read, as an argument names it or as it was found below a folder.
struct NamedRecording {
    let path: String
    /// The folder that was named, if one was.
    var folder: String?
    /// Why it is not even tried: what can't be looked at is told, and never passed over.
    var failure: InputError?

    /// Folders give way to what is in them and below, in the order of their names.
    static func all(_ arguments: [String]) -> [NamedRecording] {
        arguments.flatMap { isFolder($0) && !Recording.isPerfDirectory($0) ? below($0) : [NamedRecording(path: $0)] }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return path != "-" && FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }

    private static func below(_ folder: String) -> [NamedRecording] {
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: prefix) else {
            return [failed(folder, in: folder, "the folder, or one in it, can't be listed")]
        }
        let all = paths.sorted().compactMap { named(prefix + $0, in: folder) }
        return all.isEmpty ? [NamedRecording(path: folder, failure: noRecording(in: folder))] : all
    }

    /// Nil for a folder, which has been gone through, and for what no recording can be.
    private static func named(_ path: String, in folder: String) -> NamedRecording? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        switch attributes?[.type] as? FileAttributeType {
        case .typeRegular: return NamedRecording(path: path, folder: folder)
        case .typeDirectory, .typeSocket, .typeCharacterSpecial, .typeBlockSpecial: return nil
        case .typeSymbolicLink where isFolder(path):
            return failed(path, in: folder, "a link to a folder, which is not followed: name the folder itself")
        case .typeSymbolicLink: return NamedRecording(path: path, folder: folder)
        // Such as a name that is no UTF-8, and so reads differently from what it is.
        case nil: return failed(path, in: folder, "no file can be found by this name")
        default: return nil
        }
    }

    private static func failed(_ path: String, in folder: String, _ reason: String) -> NamedRecording {
        NamedRecording(path: path, folder: folder, failure: .cannotOpen(file: path, reason: reason))
    }

    /// A folder of which nothing is known.
    static func noRecording(in folder: String) -> InputError {
        .cannotOpen(file: folder, reason: "no recording is in the folder")
    }

    /// A text in a folder of recordings that has no event in it.
    func isPassedOver(for error: InputError) -> Bool {
        guard folder != nil, case .foreign(_, .text) = error else { return false }
        return true
    }
}
