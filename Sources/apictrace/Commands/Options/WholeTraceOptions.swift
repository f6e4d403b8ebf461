// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// What trace-cmd and perf leave out a part of the events by. A report can't do without them: it says so instead of being wrong.
struct WholeTraceOptions: ParsableArguments {
    @Option(name: [.customShort("C"), .customLong("cpu")], help: .hidden)
    var cpu: [String] = []

    @Option(name: [.customShort("e"), .customLong("event")], help: .hidden)
    var event: [String] = []

    func validate() throws {
        guard cpu.isEmpty else {
            throw ValidationError(
                "-C is for apictrace events. A report needs the events of all CPUs: an interrupt that one CPU sends and another "
                    + "takes would seem to be lost. --vm, --vcpu and --time narrow a report.")
        }
        guard event.isEmpty else {
            throw ValidationError(
                "-e is for apictrace events. A report needs the events of every kind: without some of them a loss does not show, "
                    + "or seems to be one. --vm, --vcpu and --time narrow a report.")
        }
    }
}
