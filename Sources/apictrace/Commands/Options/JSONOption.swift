// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Output for programs.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print JSON, one object a line (see apictrace schema).")
    var json = false
}
