// SPDX-License-Identifier: Apache-2.0

/// The VMs and vCPUs that a user asks for; all of them where none is named.
public struct Selection: Equatable, Sendable {
    public enum VM: Equatable, Sendable {
        /// The VMM's process, or any thread of the VM's.
        case process(Int32)
        /// As the report numbers it.
        case number(Int)
        /// The VMM's command, or the guest's own name where it is known.
        case name(String)

        /// A process id, `process 2104` or `VM 0` as the report says them, or a name.
        public init(_ text: String) {
            let lowered = text.lowercased()
            let number = lowered.hasPrefix("vm") ? Int(lowered.dropFirst(2).drop { $0 == " " }) : nil
            let process = Int32(lowered.hasPrefix("process ") ? lowered.dropFirst(8) : lowered[...])
            self = process.map { .process($0) } ?? number.map { .number($0) } ?? .name(text)
        }
    }

    public var vms: [VM]
    /// With ends that are both in it.
    public var vcpus: [ClosedRange<Int32>]

    public init(vms: [VM] = [], vcpus: [ClosedRange<Int32>] = []) {
        self.vms = vms
        self.vcpus = vcpus
    }

    public var isEmpty: Bool { vms.isEmpty && vcpus.isEmpty }

    /// - Parameter id: nil for one that is not known, which nobody can ask for.
    public func contains(vcpu id: Int32?) -> Bool {
        vcpus.isEmpty || id.map { id in vcpus.contains { $0.contains(id) } } ?? false
    }
}

extension Selection.VM: CustomStringConvertible {
    public var process: Int32? {
        if case .process(let process) = self { process } else { nil }
    }

    public var description: String {
        switch self {
        case .process(let process): "process \(process)"
        case .number(let number): "VM \(number)"
        case .name(let name): name
        }
    }
}

extension Machine {
    /// Whether a VM is among those that the user asks for.
    public func isSelected(_ vm: VMIndex, _ selection: Selection) -> Bool {
        selection.vms.isEmpty
            || selection.vms.contains { asked in
                switch asked {
                case .process(let process): isVM(vm, of: process)
                case .number(let number): vms[vm].serial == number
                case .name(let name): command(ofVM: vm) == name || guest(ofVM: vm) == name
                }
            }
    }

    /// Whether a vCPU that the user asks for has run; true where nothing is asked for.
    public func hasAny(of selection: Selection) -> Bool {
        selection.isEmpty
            || vcpus.contains {
                $0.tid != nil && isSelected($0.vm, selection) && selection.contains(vcpu: $0.id)
            }
    }
}
