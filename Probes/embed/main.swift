// SPDX-License-Identifier: Apache-2.0
// EmbedProbes CLANG OBJCOPY SOURCE OUTPUT: compiles SOURCE for BPF, strips what no loader reads (the BTF stays), and
// writes the object as a base64 literal: the only form that Swift compiles in a moment at this size.
import Glibc

func fail(_ message: String) -> Never {
    print("error: \(message)")
    exit(1)
}

func run(_ command: [String]) {
    var arguments = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, command[0], nil, nil, &arguments, environ)
    guard code == 0 else { fail("\(command[0]): \(String(cString: strerror(code)))") }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    guard status == 0 else { exit(1) }
}

func contents(of path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { fail("\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
        bytes += buffer.prefix(count)
    }
    return bytes
}

func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var digits: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
        for digit in 0...group.count {
            digits.append(alphabet[Int(bits >> UInt32(18 - 6 * digit)) & 63])
        }
    }
    return String(decoding: digits, as: UTF8.self)
}

guard CommandLine.arguments.count == 5 else { fail("usage: EmbedProbes CLANG OBJCOPY SOURCE OUTPUT") }
let (clang, objcopy) = (CommandLine.arguments[1], CommandLine.arguments[2])
let (source, output) = (CommandLine.arguments[3], CommandLine.arguments[4])
let object = output + ".o"

run([
    clang, "-target", "bpf", "-mcpu=v3", "-ffreestanding", "-O2", "-g", "-Wall", "-Werror",
    "-c", source, "-o", object,
])
run([objcopy, "--strip-debug", "-R", ".rel.BTF", "-R", ".rel.BTF.ext", "-R", ".llvm_addrsig", object])

let text = """
    // Made from probes.bpf.c.
    extension Probes {
        static let encoded: StaticString = "\(base64(contents(of: object)))"
    }

    """
let descriptor = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
guard descriptor >= 0, write(descriptor, text, text.utf8.count) == text.utf8.count else {
    fail("\(output): \(String(cString: strerror(errno)))")
}
