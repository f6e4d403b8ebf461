// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

extension Recording {
    /// A file as the user names it: `-` is standard input.
    init(argument: String, limit: InflationLimit) throws(InputError) {
        if argument == "-" {
            try self.init(descriptor: dup(STDIN_FILENO), name: "standard input", limit: limit)
        } else {
            try self.init(path: argument, limit: limit)
        }
    }
}
