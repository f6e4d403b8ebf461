// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CBPF
import Glibc
import TraceCore

@main
struct Apictrace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apictrace",
        abstract: "Tells whether a nested guest loses interrupts, and how it knows.",
        discussion: """
            A nested guest (L2) and its hypervisor (L1) may share L1's local APIC while KVM has APICv switched on. apictrace \
            reads KVM's trace events, says what that did to interrupts, and shows the events that prove it.

            EXAMPLE:
              trace-cmd record -e kvm -e kvmmmu      # on the host; ^C stops it
              apictrace analyze trace.dat
            """,
        version: version,
        subcommands: [
            Analyze.self, Diff.self, Events.self, Cut.self, Live.self, Doctor.self, Explain.self, Schema.self,
        ])

    @Flag(name: .customShort("V"), help: "Show the version.")
    var showsVersion = false

    func run() throws {
        guard showsVersion else { throw CleanExit.helpRequest(self) }
        Terminal.output(Self.version + "\n")
    }

    /// What it was called with, its name left out.
    private static var arguments: [String] {
        var values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = Int(cbpf_arguments(&values))
        return UnsafeBufferPointer(start: values, count: values == nil ? 0 : count).dropFirst().compactMap {
            $0.map { String(cString: $0) }
        }
    }

    static var version: String {
        let libbpf = libbpf_version_string().map { String(cString: $0) } ?? "of an unknown version"
        return "\(Report.Tool.current.name) \(Report.Tool.current.version), libbpf \(libbpf)"
    }

    static func main() {
        Terminal.occupyClosedStreams()
        // A file that may not grow is reported as any write that fails.
        signal(SIGXFSZ, SIG_IGN)
        do {
            try Privileges.setAside()
            try UnknownCommand.check(arguments, of: configuration.subcommands)
            var command = try parse(arguments)
            if !(command is any PrivilegedCommand) { try Privileges.giveUpThoseOfTheFile() }
            try command.run()
        } catch {
            Glibc.exit(end(with: error).code)
        }
    }

    /// By the named command's own parser, which takes less than all commands' does. What it doesn't take, as `--help`, is that one's.
    private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        let named = configuration.subcommands.first { $0.configuration.commandName == arguments.first }
        if let command = try? named?.parse(Array(arguments.dropFirst())) { return command }
        return try parseAsRoot(arguments)
    }

    /// The one place where what a command throws becomes what is said and the exit status.
    private static func end(with error: any Error) -> ExitStatus {
        if let status = ExitStatus(error) {
            if !(error is ExitStatus) { Terminal.complain("\(error)") }
            return status
        }
        // Help, a version or a completion script; or wrong usage.
        let text = fullMessage(for: error) + "\n"
        if exitCode(for: error) == .success {
            Terminal.output(text)
            return .clean
        }
        Terminal.show(text)
        return exitCode(for: error) == .validationFailure ? .usage : .unwritten
    }
}

/// A command that raises ``Privileges`` by itself; all others run without any from the start.
protocol PrivilegedCommand: ParsableCommand {}
