// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// What is read beside a recording.
struct KallsymsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The traced host's /proc/kallsyms, to tell whether its KVM has the fix.", valueName: "file"),
        completion: .file())
    var kallsyms: String?

    func symbols() throws(InputError) -> KernelSymbols? {
        guard let kallsyms else { return nil }
        return try KernelSymbols(kallsyms: kallsyms)
    }
}
