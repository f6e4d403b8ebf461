// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The installed trace-cmd, as the oracle that this reader is held to.
enum TraceCmd {
    static let isInstalled = system("command -v trace-cmd >/dev/null") == 0

    /// Whether it was built with a compression.
    static func has(_ compression: String) -> Bool {
        isInstalled && output(of: "trace-cmd list -c").contains(compression)
    }

    static func output(of command: String) -> String {
        String(decoding: bytes(of: command), as: UTF8.self)
    }

    /// What a command line writes to its standard output.
    static func bytes(of command: String) -> [UInt8] {
        guard let pipe = popen("\(command) 2>/dev/null", "r") else { return [] }
        defer { pclose(pipe) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            guard count > 0 else { return output }
            output += buffer[..<count]
        }
    }

    /// How many lines `trace-cmd report` prints for each event.
    static func counts(of file: String) -> [String: UInt64] {
        var counts: [String: UInt64] = [:]
        for line in output(of: "trace-cmd report -R '\(file)'").split(separator: "\n") {
            // ` qemu-1234  [001]   12.345678: kvm_exit:   fields`, with `instance:` in front where there are several.
            guard let cpu = line.firstRange(of: "[0") else { continue }
            let words = line[cpu.upperBound...].split(whereSeparator: { $0 == " " || $0 == "]" })
            guard words.count >= 3, let name = words[2].split(separator: ":").first else { continue }
            counts[String(name), default: 0] += 1
        }
        return counts
    }

    /// The file in another container, as bytes.
    static func converted(_ file: String, _ options: String) throws -> [UInt8] {
        var template = Array("/tmp/apictrace-test-XXXXXX".utf8CString)
        close(mkstemp(&template))
        defer { unlink(template) }
        let target = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        _ = output(of: "trace-cmd convert -i '\(file)' -o '\(target)' \(options)")
        return try TestFile.bytes(of: target)
    }
}
