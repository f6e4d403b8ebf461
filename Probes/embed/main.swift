// SPDX-License-Identifier: Apache-2.0
// EmbedProbes CLANG OBJCOPY SOURCE OUTPUT: compiles SOURCE for BPF, strips what no loader reads (the BTF stays), and
// writes the object as a base64 literal: the only form that Swift compiles in a moment at this size.
import FoundationEssentials
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

guard CommandLine.arguments.count == 5 else { fail("usage: EmbedProbes CLANG OBJCOPY SOURCE OUTPUT") }
let (clang, objcopy) = (CommandLine.arguments[1], CommandLine.arguments[2])
let (source, output) = (CommandLine.arguments[3], CommandLine.arguments[4])
let object = output + ".o"

run([
    clang, "-target", "bpf", "-mcpu=v3", "-ffreestanding", "-O2", "-g", "-Wall", "-Werror",
    "-c", source, "-o", object,
])
run([objcopy, "--strip-debug", "-R", ".rel.BTF", "-R", ".rel.BTF.ext", "-R", ".llvm_addrsig", object])

guard let bytes = try? Data(contentsOf: URL(filePath: object)) else { fail("\(object): can't be read") }
let text = """
    // Made from probes.bpf.c.
    extension Probes {
        static let encoded: StaticString = "\(bytes.base64EncodedString())"
    }

    """
let descriptor = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
guard descriptor >= 0, write(descriptor, text, text.utf8.count) == text.utf8.count else {
    fail("\(output): \(String(cString: strerror(errno)))")
}
