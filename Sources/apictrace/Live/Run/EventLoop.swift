// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// Waits for time and signals, nothing else: one epoll descriptor over a signalfd and timers.
///
/// The ring is never waited for: it is drained at a fixed beat, because a wakeup an event slows the guest sixfold.
struct EventLoop: ~Copyable {
    /// Why ``next()`` has returned.
    enum Wakeup: Equatable {
        /// The ring's time has come.
        case drain
        /// The whole run's time is over.
        case deadline
        case signal(Int32)
        /// Something can be read from the keyboard.
        case input
    }

    private let epoll: Int32
    private let signals: Int32
    private let beat: Int32
    private let deadline: Int32
    private var input: Int32?

    /// - Parameters:
    ///   - interval: nanoseconds between drains.
    ///   - duration: nanoseconds until ``Wakeup/deadline``; nil for none.
    ///   - input: a descriptor whose input ends the wait as well; nil for none.
    ///   - caught: signals that come out of ``next()``. Blocked here for good, so to be called before any thread starts.
    init(
        drainEvery interval: UInt64, for duration: UInt64?, reading input: Int32? = nil, catching caught: [Int32]
    ) throws(BPFError) {
        var set = Self.block(caught)
        var opened: [Int32] = []
        do {
            for (call, descriptor) in [
                ("epoll_create1", epoll_create1(Int32(EPOLL_CLOEXEC))),
                ("signalfd", signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))),
                ("timerfd_create", timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))),
                ("timerfd_create", timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))),
            ] {
                guard descriptor >= 0 else { throw BPFError.last(call) }
                opened.append(descriptor)
            }
            try Self.arm(opened[2], first: interval, every: interval)
            if let duration { try Self.arm(opened[3], first: max(duration, 1), every: 0) }
            for descriptor in opened.dropFirst() + [input].compactMap(\.self) {
                var event = epoll_event()
                event.events = EPOLLIN.rawValue
                event.data.fd = descriptor
                guard epoll_ctl(opened[0], EPOLL_CTL_ADD, descriptor, &event) == 0 else {
                    throw BPFError.last("epoll_ctl")
                }
            }
        } catch let error as BPFError {
            for descriptor in opened { close(descriptor) }
            throw error
        } catch {
            throw BPFError("epoll", code: EINVAL)
        }
        self.input = input
        (epoll, signals, beat, deadline) = (opened[0], opened[1], opened[2], opened[3])
    }

    /// Signals that end a trace, which then has its report and its recording. nohup(1) asks for SIGHUP to be left out.
    static var ending: [Int32] {
        [SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGXCPU, SIGXFSZ] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        sigaction(signal, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// From here on the signals wait for ``next()``, also before there is a loop.
    @discardableResult
    static func block(_ signals: [Int32]) -> sigset_t {
        var set = set(of: signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return set
    }

    /// From here on the signals do what they do to any process, but for those that have come.
    static func unblock(_ signals: [Int32]) {
        while wait(for: signals, milliseconds: 0) != nil {}
        var set = set(of: signals)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Waits for a signal that is blocked.
    /// - Returns: nil where none has come.
    static func wait(for signals: [Int32], milliseconds: Int) -> Int32? {
        var set = set(of: signals)
        var time = timespec(nanoseconds: UInt64(milliseconds) * 1_000_000)
        let signal = sigtimedwait(&set, nil, &time)
        return signal > 0 ? signal : nil
    }

    private static func set(of signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    deinit {
        for descriptor in [epoll, signals, beat, deadline] { close(descriptor) }
    }

    /// No more is to be read from there.
    mutating func forgetInput() {
        if let input { epoll_ctl(epoll, EPOLL_CTL_DEL, input, nil) }
        input = nil
    }

    private var hasInput: Bool {
        guard let input else { return false }
        var stream = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
        return poll(&stream, 1, 0) > 0
    }

    /// Sleeps until something is due. Signals come before the deadline, that before keys, and all before a drain.
    func next() throws(BPFError) -> Wakeup {
        while true {
            var signal = signalfd_siginfo()
            if read(signals, &signal, MemoryLayout<signalfd_siginfo>.size) > 0 {
                // A write of our own that passed the limit of a file's size has failed, and is reported where it was made.
                if signal.ssi_signo == UInt32(SIGXFSZ), signal.ssi_pid == UInt32(getpid()) { continue }
                return .signal(Int32(bitPattern: signal.ssi_signo))
            }
            if expired(deadline) { return .deadline }
            // Where draining takes all of the time it would never come to a key otherwise.
            if hasInput { return .input }
            if expired(beat) { return .drain }
            var event = epoll_event()
            if epoll_wait(epoll, &event, 1, -1) < 0, errno != EINTR { throw .last("epoll_wait") }
        }
    }

    private func expired(_ timer: Int32) -> Bool {
        var times: UInt64 = 0
        return read(timer, &times, MemoryLayout<UInt64>.size) > 0
    }

    private static func arm(_ timer: Int32, first: UInt64, every interval: UInt64) throws(BPFError) {
        var spec = itimerspec(it_interval: timespec(nanoseconds: interval), it_value: timespec(nanoseconds: first))
        guard timerfd_settime(timer, 0, &spec, nil) == 0 else { throw .last("timerfd_settime") }
    }
}

extension timespec {
    fileprivate init(nanoseconds: UInt64) {
        self.init(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
