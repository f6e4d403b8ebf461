// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List a recording's events of KVM, each with its VM, vCPU and level (L1 or L2).",
        discussion: """
            A line has the time as trace-cmd prints it, the CPU, the thread with its name, VM/vCPU, the level, the tracepoint \
            and its fields. VMs are numbered as in the report. The level is that of the exit being handled; at kvm_entry, \
            of the guest that is entered. Where the recorder lost events, a line says so. Events that apictrace has no use for \
            are told by the fields of their own format, those of eight bytes in hexadecimal.

            With --json the first line tells what times count from, as in the report ("type": "trace"); then an object \
            for each event ("event") and each gap of lost events ("lost"). See apictrace schema --events.

            Exit status: 0 the whole file was listed; 2 the file is cut or damaged and what can be read is listed, or nothing \
            in it is what was asked for; 3 it can't be read; 6 the listing could not be written; 64 wrong usage.

            EXAMPLES:
              apictrace events --brackets --from 72.3 --to 72.5 trace.dat | less -S
              apictrace events --vm 2104 --vcpu 0 --level l2 --event kvm_mmio trace.dat
              apictrace events -e 'kvm_nested*,kvm_eoi' --time +42.2,+42.3 trace.dat
              apictrace events --json trace.dat | jq -c 'select(.fields.reason == "EPT_MISCONFIG")'
            """)

    @Argument(
        help: "A file that trace-cmd or perf recorded, trace.dat where none is named; - reads standard input.",
        completion: .file())
    var file: String?

    @OptionGroup var input: InputOptions
    @OptionGroup var selection: SelectionOptions

    @Option(name: [.customShort("C"), .long], help: ArgumentHelp("Only what these CPUs recorded.", valueName: "n,..."))
    var cpu: [CommaList<IndexRange>] = []

    @Option(help: "Only events of this level.")
    var level: Level?

    @OptionGroup var time: TimeOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Only these tracepoints; * and ? stand for what they do in a shell.", valueName: "name,..."))
    var event: [CommaList<EventPattern>] = []

    @Flag(help: "Indent what belongs to an exit, between { kvm_exit and } kvm_entry.")
    var brackets = false

    @Flag(help: "Nine digits of a second.")
    var ns = false

    @Flag(help: "Behind each time, how long after the line before it.")
    var tsDiff = false

    @OptionGroup private var form: JSONOption
    @OptionGroup var output: OutputFileOptions

    private var json: Bool { form.json }
    private var files: [String] { input.files([file].compactMap(\.self)) }

    func validate() throws {
        guard !json || !brackets && !ns && !tsDiff else {
            throw ValidationError("--brackets, --ns and --ts-diff are for text, not for --json.")
        }
        guard files.count == 1 else { throw ValidationError("One file at a time is listed.") }
    }

    func run() throws {
        let file = files[0]
        try output.redirect()
        let (totals, window, count) = try list(file)
        if let cut = totals.cut {
            Terminal.complain(
                "\(file): cut or damaged at byte \(cut.offset), where \(cut.expected) was expected; what can be read is "
                    + "listed")
        }
        if let part = totals.part { Terminal.complain("\(file): \(part.doubt)") }
        if count == 0 {
            Terminal.complain(
                TimeBound.isOutside(window, totals)
                    ? "\(file): no event lies between --from and --to"
                    : "\(file): none of its events of KVM is what was asked for")
        }
        if totals.cut != nil || count == 0 { throw ExitStatus.inconclusive }
    }

    /// - Returns: the time that was asked for too, if one was, and the number of lines.
    private func list(_ file: String) throws -> (TraceTotals, window: ClosedRange<UInt64>?, count: UInt64) {
        var trace = try Recording(argument: file, limit: input.limit)
        var options = ListingOptions()
        options.json = json
        options.hasHeader = true
        options.brackets = brackets
        options.showsNanoseconds = ns
        options.showsDifferences = tsDiff
        options.selection = selection.selection
        options.cpus = cpu.flatMap(\.elements).map(\.range)
        options.level = level
        let window = try time.window(of: trace)
        options.window = window ?? options.window
        try choose(from: trace.info, &options)
        var listing = EventListing(info: trace.info, options: options, write: Terminal.output)
        // Of the two, the listing is enough for a terminal.
        let progress = Terminal.isOutputTerminal ? nil : Progress(of: file)
        let totals = try trace.read(into: &listing, progress: progress?.show)
        listing.finish()
        progress?.clear()
        return (totals, window, listing.count)
    }

    /// The events that are asked for; a name without a `*` that no event has is a slip of the pen.
    private func choose(from info: TraceInfo, _ options: inout ListingOptions) throws(UnknownEvent) {
        let patterns = event.flatMap(\.elements)
        guard !patterns.isEmpty else { return }
        let kinds = EventKind.allCases.filter { kind in
            kind.tracepoints.contains { name in patterns.contains { $0.matches(name) } }
        }
        let others = info.otherEvents.filter { name in patterns.contains { $0.matches(name) } }
        let known = EventPattern.allValueStrings + info.otherEvents
        if let unknown = patterns.first(where: { pattern in !known.contains(where: pattern.matches) }) {
            throw UnknownEvent(name: unknown.text, known: known)
        }
        options.kinds = kinds.reduce(into: []) { $0.insert($1) }
        options.others = Set(others)
    }
}

/// No event of the recording, and none that apictrace knows, has this name.
struct UnknownEvent: Error, CustomStringConvertible {
    let name: String
    let known: [String]

    var description: String {
        "there is no event \(name); there are " + known.sorted().joined(separator: " ")
    }
}
