// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// A ring buffer of our own in tracefs, with its events, clock and pipes. Nothing outside of it is touched.
///
/// It goes with the value. After SIGKILL it stays and goes on recording: its name tells whose it was, and the next start
/// removes it.
struct FtraceInstance: ~Copyable {
    let path: String
    /// CPUs, and a descriptor of each one's raw pages.
    private(set) var pipes: [(cpu: Int32, descriptor: Int32)] = []

    /// An empty instance, named after this process.
    init(in tracefs: String) throws(BPFError) {
        Tracefs.removeLeftovers()
        let path = "\(tracefs)/instances/\(Tracefs.instancePrefix)\(getpid())"
        // One of this name can only be left by a process that had our id before.
        if SystemFile.exists(path) { rmdir(path) }
        guard mkdir(path, 0o700) == 0 else { throw .last("mkdir", path) }
        self.path = path
    }

    deinit {
        for pipe in pipes { close(pipe.descriptor) }
        rmdir(path)
    }

    /// Opens every CPU's `trace_pipe_raw`, not to be waited on.
    mutating func openPipes() throws(BPFError) {
        for cpu in SystemFile.names(in: path + "/per_cpu").compactMap({ Int32($0.dropFirst(3)) }).sorted() {
            let file = "\(path)/per_cpu/cpu\(cpu)/trace_pipe_raw"
            let descriptor = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { throw .last("open", file) }
            pipes.append((cpu, descriptor))
        }
    }

    func text(_ file: String) -> String? {
        SystemFile.text("\(path)/\(file)")
    }

    func write(_ text: String, to file: String) throws(BPFError) {
        let file = "\(path)/\(file)"
        let descriptor = open(file, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", file) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw .last("write", file) }
    }

    /// Size of the buffers' pages; `buffer_subbuf_size_kb` came with 6.8.
    var pageSize: Int {
        text("buffer_subbuf_size_kb").flatMap { Int($0) }.map { $0 * 1024 } ?? Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Events that the kernel lost on a CPU, by its own account (tracing_stats_read, kernel/trace/trace.c).
    func lost(onCPU cpu: Int32) -> UInt64 {
        let lines = text("per_cpu/cpu\(cpu)/stats")?.split(separator: "\n") ?? []
        return lines.reduce(0) { sum, line in
            let parts = line.split(separator: ":")
            guard parts.count == 2, ["overrun", "commit overrun", "dropped events"].contains(parts[0]) else {
                return sum
            }
            return sum &+ (UInt64(parts[1].drop { $0 == " " }) ?? 0)
        }
    }
}
