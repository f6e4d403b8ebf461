// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
import Synchronization

/// Has a file's data flushed to the disk itself while its writer goes on: the disk may take longer than events can wait.
public final class DiskSync: Sendable {
    private struct State {
        var isBusy = false
        /// errno of a flush that failed.
        var code: Int32 = 0
    }

    private let name: String
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "apictrace.sync")
    private let state = Mutex(State())

    /// - Parameter name: of the file, for messages.
    init(_ descriptor: Int32, name: String) {
        self.name = name
        self.descriptor = dup(descriptor)
        _ = fcntl(self.descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        close(descriptor)
    }

    /// Begins a flush, unless one is under way.
    public func start() {
        let begins = state.withLock { state in
            defer { state.isBusy = true }
            return !state.isBusy
        }
        guard begins else { return }
        queue.async { [self] in
            let result = fdatasync(descriptor)
            // What can't be flushed at all, such as a device, has nothing to lose.
            let code = result == 0 || errno == EINVAL || errno == EROFS ? 0 : errno
            // The kernel tells a loss once.
            state.withLock { $0 = State(isBusy: false, code: $0.code == 0 ? code : $0.code) }
        }
    }

    /// A flush that failed: the disk has lost something.
    public var failure: TraceWriterError? {
        let code = state.withLock(\.code)
        return code == 0 ? nil : TraceWriterError("can't be written to the disk", file: name, code: code)
    }
}
