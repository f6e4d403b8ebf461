// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a recording's events, each with its VM, vCPU and level (L1 or L2).",
        discussion: """
            A line has the time as trace-cmd prints it, the CPU, the thread, VM/vCPU, the level, the tracepoint and its \
            fields. VMs are numbered as in the report. The level is that of the exit being handled; at kvm_entry, \
            of the guest that is entered. Where the recorder lost events, a line says so.

            With --json the first line tells what times count from, as in the report ("type": "trace"); then an object \
            for each event ("event") and each hole ("lost").

            Exit status: 0 the whole file was listed; 2 the file is cut or damaged and what can be read is listed, or no \
            event lies in the time that was asked for; 3 it can't be read; 6 the listing could not be written; 64 wrong usage.

            EXAMPLES:
              apictrace events --brackets --from 72.3 --to 72.5 trace.dat | less -S
              apictrace events --vm 2104 --vcpu 0 --level l2 --event kvm_mmio trace.dat
              apictrace events --event kvm_eoi --event kvm_apic_accept_irq trace.dat
              apictrace events --json trace.dat | jq -c 'select(.fields.reason == "EPT_MISCONFIG")'
            """)

    @Argument(help: "A file that trace-cmd recorded; - reads standard input.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Only this VM, by the process id of its VMM.", valueName: "pid"))
    var vm: Int32?

    @Option(help: ArgumentHelp("Only this vCPU: what its thread emits, and what is aimed at it.", valueName: "n"))
    var vcpu: Int32?

    @Option(help: "Only events of this level.")
    var level: Level?

    @Option(help: ArgumentHelp("Only from this time on, in seconds as trace-cmd prints them.", valueName: "time"))
    var from: TimeBound?

    @Option(help: ArgumentHelp("Only up to this time.", valueName: "time"))
    var to: TimeBound?

    @Option(help: ArgumentHelp("Only this tracepoint; may be given several times.", valueName: "name"))
    var event: [EventKind] = []

    @OptionGroup var input: InputOptions

    @Flag(help: "Indent what belongs to an exit, between { kvm_exit and } kvm_entry.")
    var brackets = false

    @Flag(help: "Print JSON, one object a line.")
    var json = false

    func validate() throws {
        try TimeBound.check(from: from, to: to)
        guard !brackets || !json else { throw ValidationError("--brackets is for text, not for --json.") }
        guard vcpu.map({ $0 >= 0 }) ?? true else { throw ValidationError("--vcpu counts from 0.") }
    }

    func run() throws {
        let (totals, window) = try list()
        if let cut = totals.cut {
            Terminal.complain(
                "\(file): cut or damaged at byte \(cut.offset), where \(cut.expected) was expected; what can be read is "
                    + "listed")
        }
        let isOutside = TimeBound.isOutside(window, totals)
        if isOutside { Terminal.complain("\(file): no event lies between --from and --to") }
        if totals.cut != nil || isOutside { throw ExitStatus.inconclusive }
    }

    /// - Returns: the time that was asked for too, if one was.
    private func list() throws -> (totals: TraceTotals, window: ClosedRange<UInt64>?) {
        var trace = try TraceFile(argument: file, limit: input.limit)
        var options = ListingOptions()
        options.json = json
        options.brackets = brackets
        options.vm = vm
        options.vcpu = vcpu
        options.level = level
        let window = try TimeBound.window(from: from, to: to, on: trace.info.clock)
        options.window = window ?? options.window
        if !event.isEmpty { options.kinds = event.reduce(into: []) { $0.insert($1) } }
        var listing = EventListing(info: trace.info, options: options, write: Terminal.output)
        // Of the two, the listing is enough for a terminal.
        let progress = Terminal.isOutputTerminal ? nil : Progress(of: file)
        let totals = try listing.read(&trace, progress: progress?.show)
        progress?.clear()
        return (totals, window)
    }
}
