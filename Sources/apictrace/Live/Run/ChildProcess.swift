// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// The command that is traced while it runs.
struct ChildProcess {
    private let process: pid_t

    /// Starts it, found by PATH, with the signals that it would have had without the event loop.
    ///
    /// - Parameter output: the descriptor that becomes its standard output.
    init(_ command: [String], output: Int32) throws(CommandFailure) {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var changed = none
        sigaddset(&changed, SIGXFSZ)
        posix_spawnattr_setsigdefault(&attributes, &changed)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if output != STDOUT_FILENO { posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) }
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        // A parent that ignores SIGCHLD has its children reaped by the kernel, which then tells nobody how they ended.
        signal(SIGCHLD, SIG_DFL)
        var process: pid_t = 0
        let code = posix_spawnp(&process, command[0], &actions, &attributes, &arguments, environ)
        guard code == 0 else { throw .cannotStart(command[0], code: code) }
        self.process = process
    }

    enum State: Equatable {
        case running
        /// With a status of 0.
        case done
        case failed(CommandFailure)
    }

    /// Reaps it if it has ended.
    func state(of name: String) -> State {
        var status: Int32 = 0
        let ended = waitpid(process, &status, WNOHANG)
        guard ended != 0 else { return .running }
        guard ended == process else { return .failed(.unknown(name)) }
        // As WTERMSIG() and WEXITSTATUS() have it.
        let signal = status & 0x7f
        if signal != 0 { return .failed(.killed(name, signal: signal)) }
        let code = status >> 8 & 0xff
        return code == 0 ? .done : .failed(.failed(name, status: code))
    }
}

/// How a traced command did not do what it was started for.
enum CommandFailure: Error, Equatable, CustomStringConvertible {
    case cannotStart(String, code: Int32)
    case failed(String, status: Int32)
    case killed(String, signal: Int32)
    case unknown(String)

    var description: String {
        switch self {
        case .cannotStart(let name, let code): "\(name): can't be started: \(Errno(rawValue: code))"
        case .failed(let name, let status): "\(name) failed: it ended with status \(status)"
        case .killed(let name, let signal): "\(name) was killed: \(String(cString: strsignal(signal)))"
        case .unknown(let name): "\(name) has ended; how can't be told"
        }
    }
}
