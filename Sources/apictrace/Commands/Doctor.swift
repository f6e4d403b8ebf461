// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `apictrace doctor`: whether this host can be traced, and what to do where it can't.
struct Doctor: PrivilegedCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Tell whether live tracing works on this host, and what to do.",
        discussion: """
            Exit status: 0 where live tracing should work; 4 where it can't; 6 the output could not be written.

            EXAMPLE:
              sudo apictrace doctor
            """)

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        // It opens nothing that its caller names, and looks with what live would trace with.
        let examination = Privileges.raised { Examination.ofThisHost() }
        try Privileges.giveUpThoseOfTheFile()
        Terminal.output((json ? try examination.json() : examination.text) + "\n")
        guard examination.canTrace else { throw ExitStatus.untraceable }
    }
}
