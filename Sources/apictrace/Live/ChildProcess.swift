// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The command that is traced while it runs.
struct ChildProcess {
    private let process: pid_t

    /// Starts it, found by PATH, with the signal mask that it would have had without the event loop's.
    ///
    /// - Parameter output: the descriptor that becomes its standard output.
    init(_ command: [String], output: Int32) throws(BPFError) {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if output != STDOUT_FILENO { posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) }
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let code = posix_spawnp(&process, command[0], &actions, &attributes, &arguments, environ)
        guard code == 0 else { throw BPFError("posix_spawnp", command[0], code: code) }
        self.process = process
    }

    /// Reaps it if it has ended.
    var hasEnded: Bool {
        var status: Int32 = 0
        return waitpid(process, &status, WNOHANG) == process
    }
}
