// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Finds the processes of the VMs that a user asks for, before a run that would wait for them in vain.
enum AskedVMs {
    /// - Returns: none where one is asked for by the report's number, which only the trace gives it.
    static func processes(of selection: Selection, proc: String = "/proc") throws(UnknownVM) -> [Int32] {
        var processes: [Int32] = []
        for vm in selection.vms {
            switch vm {
            case .process(let process):
                guard SystemFile.exists("\(proc)/\(process)") else {
                    throw UnknownVM(vm, running: VCPUFinder.find(in: proc))
                }
                processes.append(Self.process(ofThread: process, proc))
            case .name(let name):
                let running = VCPUFinder.find(in: proc)
                let found = running.filter { $0.command == name || $0.guest == name }.map(\.process)
                guard !found.isEmpty else { throw UnknownVM(vm, running: running) }
                processes += found
            case .number: return []
            }
        }
        return processes
    }

    /// A thread's id is as good as its process's.
    private static func process(ofThread thread: Int32, _ proc: String) -> Int32 {
        let line = SystemFile.text("\(proc)/\(thread)/status")?.split(separator: "\n").first { $0.hasPrefix("Tgid:") }
        return line.flatMap { Int32($0.dropFirst(5).filter { !$0.isWhitespace }) } ?? thread
    }
}

extension Selection.VM {
    fileprivate var isName: Bool { if case .name = self { true } else { false } }
}

/// There is no such VM, and what there is.
struct UnknownVM: Error, CustomStringConvertible {
    let description: String

    init(_ vm: Selection.VM, running: [FoundVM]) {
        let names = running.prefix(8).map { "\($0.guest ?? $0.command) (\($0.process))" }
        description =
            "--vm: \(vm.isName ? "no VM is called" : "there is no") \(vm); "
            + (names.isEmpty ? "no VM runs, as far as can be seen" : "there are \(names.joined(separator: ", "))")
    }
}
