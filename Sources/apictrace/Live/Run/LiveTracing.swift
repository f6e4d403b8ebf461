// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// One run of live tracing, whatever reads the kernel's events: ``LiveSession`` and ``FtraceSession``.
protocol LiveTracing: LiveProgress, ~Copyable {
    var info: TraceInfo { get }
    /// Whether the totals count hits that were not reported to the sink.
    static var countsMore: Bool { get }

    mutating func drain(into sink: inout some LiveSink & ~Copyable) throws(BPFError)
    /// Reads the words of vCPUs that sleep, by their threads, where memory can be read: a later drain tells them.
    func look(at sleepers: [Int32])
    /// From a moment on, now, the sink is told again what it was told once; what was only counted until now it is told first.
    /// - Returns: that moment, in nanoseconds of the source's clock.
    mutating func tellAnew(into sink: inout some LiveSink & ~Copyable) -> UInt64
    /// The last events, and nothing left in the kernel.
    mutating func finish(into sink: inout some LiveSink & ~Copyable) throws(BPFError)
}

extension LiveTracing where Self: ~Copyable {
    /// Nanoseconds between drains.
    private static var beat: UInt64 { 10_000_000 }

    /// Traces until the time is over, the command has ended, the sink has enough, or a signal asks for the end.
    ///
    /// - Parameters:
    ///   - commandOutput: the descriptor that becomes the command's standard output.
    ///   - keyboard: of who watches; nil where nobody does.
    /// - Throws: where nothing was traced.
    mutating func run(
        for seconds: Double?, command: [String], commandOutput: Int32, keyboard: Keyboard? = nil,
        into sink: inout some LiveSink & ~Copyable
    ) throws -> RunEnd {
        var loop: EventLoop
        do throws(BPFError) {
            loop = try EventLoop(
                drainEvery: Self.beat, for: seconds.map { UInt64($0 * 1e9) }, reading: keyboard?.descriptor,
                catching: EventLoop.ending + [SIGCHLD, SIGWINCH])
        } catch {
            throw TracingUnavailable.failed(error)
        }
        let child = try command.first.map { (process: try ChildProcess(command, output: commandOutput), name: $0) }
        var end = RunEnd()
        do throws(BPFError) {
            wait: while true {
                switch try loop.next() {
                case .drain:
                    try drain(into: &sink)
                    guard sink.drained(self) else { break wait }
                    look(at: sink.sleepers)
                    if sink.wantsAllAnew {
                        let time = tellAnew(into: &sink)
                        sink.willBeToldAnew(from: time, totals())
                    }
                case .deadline: break wait
                case .signal(SIGCHLD):
                    guard let child else { continue }
                    switch child.process.state(of: child.name) {
                    case .running: continue
                    case .done: break wait
                    case .failed(let failure):
                        end.command = failure
                        break wait
                    }
                case .signal(SIGWINCH): sink.resized()
                case .input:
                    guard let keys = keyboard?.pressed() else {
                        loop.forgetInput()
                        continue
                    }
                    for key in keys where key != .quit { sink.pressed(key) }
                    guard keys.contains(.quit) else { continue }
                    end.isAsked = true
                    break wait
                case .signal:
                    end.isAsked = true
                    break wait
                }
            }
            try finish(into: &sink)
        } catch {
            end.failure = .failed(error)
        }
        return end
    }
}

/// How a run was over.
struct RunEnd {
    /// A signal asked for it.
    var isAsked = false
    var command: CommandFailure?
    /// Tracing broke off.
    var failure: TracingUnavailable?
}
