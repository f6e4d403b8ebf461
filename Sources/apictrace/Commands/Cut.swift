// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Cut: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cut",
        abstract: "Cut a small recording out of a large one, which shows a finding as the large one does.",
        discussion: """
            What is written is a trace.dat that trace-cmd, KernelShark and apictrace open. With --finding it has every event \
            that the finding's grade rests on, and its analysis gives the finding the same grade, vectors and crossings, which is \
            checked before it is written. The file says that it is a part, for which finding, and where how many events are left \
            out (apictrace:left_out); no part is ever called clean.

            --from, --to, --around and --vm add what else is to be in it, or make a part without a finding.

            --redact replaces names of commands and guests, the host's name and addresses, the same by the same, and leaves out events and \
            fields that apictrace has no use for. Threads' ids, times, the kernel's release and the format texts stay.

            Exit status: 0 the part was written; 2 no part says what the whole does, or no event is in what was asked for: \
            nothing was written; 3 the file can't be read; 6 the part could not be written; 64 wrong usage, or there is no \
            such finding.

            EXAMPLES:
              apictrace cut trace.dat --finding 1 -o small.dat
              apictrace cut --finding F2 --around 50ms --redact -o small.dat trace.dat
              apictrace cut --from +42.2 --to +42.4 --vm 2104 -o part.dat trace.dat
            """)

    @Argument(
        help: "A recording, trace.dat where none is named; - reads standard input.", completion: .file())
    var file: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The finding, by its id or number in the report.", valueName: "id"))
    var finding: String?

    @Option(
        help: ArgumentHelp(
            "With --finding: everything this close to its events, too (ns, us, ms or s; in a clock's ticks without a unit).",
            valueName: "time"))
    var around: TimeSpan?

    @OptionGroup var time: TimeOptions

    @Option(
        name: [.customLong("vm"), .customShort("p"), .customLong("pid")],
        help: ArgumentHelp(
            "Of the time that is asked for only the events of these VMs, named as for analyze.", valueName: "vm,..."))
    var vm: [CommaList<VMName>] = []

    @Flag(help: "Replace names and addresses.")
    var redact = false

    @OptionGroup var symbols: KallsymsOption
    @OptionGroup var input: InputOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"),
        completion: .file())
    var output: String?

    private var files: [String] { input.files([file].compactMap(\.self)) }
    private var hasTime: Bool { time.from != nil || time.to != nil || time.time != nil }

    func validate() throws {
        guard files.count == 1 else { throw ValidationError("One file at a time is cut.") }
        guard finding != nil || hasTime || !vm.isEmpty else {
            throw ValidationError("Say what to cut out: --finding, --from and --to, or --vm.")
        }
        guard around == nil || finding != nil else { throw ValidationError("--around is for --finding.") }
        guard output != nil || !Terminal.isOutputTerminal else {
            throw ValidationError("A recording is nothing for a terminal: name a file with -o.")
        }
    }

    func run() throws {
        if let output, OutputStream.isSame(output, as: files + [symbols.kallsyms].compactMap(\.self)) {
            throw TraceWriterError(
                file: output, what: "no recording is written there", reason: "it is read; name another file")
        }
        var recording = try Recording(argument: files[0], limit: input.limit)
        var request = CutRequest()
        request.finding = finding
        request.around = try around?.units(of: recording.info.clock)
        request.window = try time.window(of: recording)
        request.selection = Selection(vms: vm.flatMap(\.elements).map(\.vm))
        request.isRedacted = redact
        request.symbols = try symbols.symbols()
        let cut = try RecordingPart(of: &recording, request)
        if let output { try cut.write(path: output) } else { cut.copy { bytes, _ in Terminal.output(bytes) } }
        tell(cut)
    }

    private func tell(_ cut: borrowing RecordingPart) {
        Terminal.complain(
            "\(cut.events.taken) of \(cut.events.whole) events, \(cut.size) bytes, for \(cut.purpose)")
        if cut.size > RecordingPart.largeSize {
            Terminal.complain(
                finding == nil
                    ? "that is more than 10 MB" : "that is more than 10 MB: what the grade rests on has no less")
        }
    }
}

/// A length of time: `50ms`.
struct TimeSpan: ExpressibleByArgument {
    private let number: UInt64
    /// In nanoseconds; nil for a clock's own unit.
    private let unit: UInt64?

    init?(argument: String) {
        let digits = argument.prefix { ("0"..."9").contains($0) }
        guard let number = UInt64(digits) else { return nil }
        let units: [String: UInt64] = ["ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000]
        let suffix = String(argument.dropFirst(digits.count))
        guard suffix.isEmpty || units[suffix] != nil else { return nil }
        self.number = number
        unit = units[suffix]
    }

    func units(of clock: TraceClock) throws(TimeBoundError) -> UInt64 {
        guard let unit else { return number }
        guard clock.unit == .nanoseconds else { throw .spanOfTicks(clock: clock.name) }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? .max : product
    }
}
