// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

extension TraceFile {
    /// A file as the user names it: `-` is standard input.
    init(argument: String) throws(TraceFileError) {
        if argument == "-" {
            try self.init(descriptor: dup(STDIN_FILENO), name: "standard input")
        } else {
            try self.init(path: argument)
        }
    }
}
