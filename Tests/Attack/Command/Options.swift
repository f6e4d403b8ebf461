// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Foundation

/// The command line.
struct Options {
    struct Replay {
        var recording: String
        var attack: String
        var number: Int
    }

    private(set) var seed: UInt64 = 1
    private(set) var events = 300_000
    private(set) var attacks: Set<String> = []
    private(set) var lines: [Truth.Line] = []
    /// Violations of each kind that are shown in full.
    private(set) var shown = 3
    private(set) var replay: Replay?
    private(set) var written: String?
    /// Where the table's paths start.
    private var folder = ""

    func path(of line: Truth.Line) -> String { line.path.hasPrefix("/") ? line.path : folder + line.path }

    /// The file, or the recordings of a folder and those below it.
    private static func recordings(at path: String) -> [String] {
        let place = URL(filePath: path).path
        guard let names = FileManager.default.enumerator(atPath: place) else { return [place] }
        let files = names.compactMap { $0 as? String }.filter { $0.hasSuffix(".dat") || $0.hasSuffix(".dat.zst") }
        return files.isEmpty ? [place] : files.sorted().map { "\(place)/\($0)" }
    }

    /// Returns what is wrong with the arguments, nil where nothing is.
    mutating func parse(_ arguments: ArraySlice<String>) -> String? {
        var arguments = arguments
        var truth: Truth?
        func number<T: FixedWidthInteger>(_ text: String?) -> T? { text.flatMap { T($0) } }
        while let argument = arguments.popFirst() {
            switch argument {
            case "--healthy": truth = .healthy
            case "--crossing": truth = .crossing
            case "--lossy": truth = .lossy(.init())
            case "--seed":
                guard let value: UInt64 = number(arguments.popFirst()) else { return "--seed takes a number" }
                seed = value
            case "--events":
                guard let value: Int = number(arguments.popFirst()) else { return "--events takes a number" }
                events = value
            case "--list":
                guard let value: Int = number(arguments.popFirst()) else { return "--list takes a number" }
                shown = value
            case "--attack":
                guard let name = arguments.popFirst(), Attack.all.contains(where: { $0.name == name }) else {
                    return "--attack takes one of: " + Attack.all.map(\.name).joined(separator: " ")
                }
                attacks.insert(name)
            case "--truth":
                guard let table = arguments.popFirst(), let folder = arguments.popFirst() else {
                    return "--truth takes a table and the folder that its paths start from"
                }
                guard let text = try? String(contentsOfFile: table, encoding: .utf8), let known = Truth.table(text)
                else {
                    return "\(table): can't be read, or a line is none of: healthy PATH, crossing PATH, lossy PATH ..."
                }
                self.folder = folder.hasSuffix("/") ? folder : folder + "/"
                lines += known
            case "--replay":
                guard let recording = arguments.popFirst(), let attack = arguments.popFirst(),
                    let value: Int = number(arguments.popFirst())
                else { return "--replay takes a recording, an attack and a number" }
                replay = Replay(recording: recording, attack: attack, number: value)
            case "--write": written = arguments.popFirst()
            default:
                guard let truth else { return "\(argument): say first whether it is --healthy, --crossing or --lossy" }
                lines += Self.recordings(at: argument).map { Truth.Line(path: $0, truth: truth) }
            }
        }
        return lines.isEmpty ? "no recordings: --truth TABLE FOLDER, --healthy, --crossing or --lossy FILE..." : nil
    }
}
