// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// One run of live tracing, whatever reads the kernel's events: ``LiveSession`` and ``FtraceSession``.
protocol LiveTracing: LiveProgress, ~Copyable {
    var info: TraceInfo { get }
    /// Whether the totals count hits that the sink was not told of.
    static var countsMore: Bool { get }

    /// What ends the run, beside SIGCHLD and SIGWINCH, which tell of the command and the terminal.
    static var signals: [Int32] { get }

    mutating func drain(into sink: inout some LiveSink & ~Copyable) throws(BPFError)
    /// The last events, and nothing left in the kernel.
    mutating func finish(into sink: inout some LiveSink & ~Copyable) throws(BPFError)
}

extension LiveTracing where Self: ~Copyable {
    /// Nanoseconds between drains.
    private static var beat: UInt64 { 10_000_000 }

    /// Traces until the time is over, the command has ended, the sink has enough, or a signal asks for the end.
    ///
    /// - Parameter commandOutput: the descriptor that becomes the command's standard output.
    mutating func run(
        for seconds: Double?, command: [String], commandOutput: Int32, into sink: inout some LiveSink & ~Copyable
    ) throws(TracingUnavailable) {
        do throws(BPFError) {
            let loop = try EventLoop(
                drainEvery: Self.beat, for: seconds.map { UInt64($0 * 1e9) },
                catching: Self.signals + [SIGCHLD, SIGWINCH])
            let child = command.isEmpty ? nil : try ChildProcess(command, output: commandOutput)
            wait: while true {
                switch try loop.next() {
                case .drain:
                    try drain(into: &sink)
                    guard sink.drained(self) else { break wait }
                case .deadline: break wait
                case .signal(SIGCHLD):
                    if let child, child.hasEnded { break wait }
                case .signal(SIGWINCH): sink.resized()
                case .signal: break wait
                }
            }
            try finish(into: &sink)
        } catch {
            throw .failed(error)
        }
    }
}
