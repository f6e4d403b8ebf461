// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What a guest is called by whoever started it.
enum GuestName {
    /// Of QEMU's command line, which libvirt writes too: `-name guest=web01,debug-threads=on`, `-name web01`. Nil where it has
    /// none, or another VMM's.
    static func of(process: Int32, in proc: String = "/proc") -> String? {
        guard let line = SystemFile.text("\(proc)/\(process)/cmdline") else { return nil }
        return parse(line.split(separator: "\0", omittingEmptySubsequences: false).map(String.init))
    }

    static func parse(_ arguments: [String]) -> String? {
        guard let option = arguments.firstIndex(where: { $0 == "-name" || $0 == "--name" }),
            option + 1 < arguments.count
        else { return nil }
        let parts = arguments[option + 1].split(separator: ",")
        let named = parts.first { $0.hasPrefix("guest=") }.map { $0.dropFirst(6) }
        let name = named ?? parts.first.flatMap { $0.contains("=") ? nil : $0 }
        return name.flatMap { $0.isEmpty ? nil : String($0.prefix(longest)) }
    }

    private static let longest = 64
}
