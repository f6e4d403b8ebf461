// SPDX-License-Identifier: Apache-2.0

/// Something about a guest that helps whoever looks at it, and that is no finding: it has no grade.
public struct Observation: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Codable, Sendable {
        /// A level-triggered vector is asserted again as soon as it is ended.
        case storm
        /// A vCPU comes back to one instruction with nothing done.
        case noProgress = "no-progress"
        /// A vCPU was offered INIT and SIPI, and did not run.
        case neverRan = "never-ran"
        /// An interrupt that waited for longer than any healthy one came after all.
        case late
        /// A change of a VM's inhibit mask, where no vCPU of that VM is in the trace.
        case inhibits
        /// KVM did something else about a fault on the APIC page than it does by its own rules.
        case faultIn = "fault-in"
    }

    public var kind: Kind
    /// Index of the VM, and of the vCPU, where it is about one.
    public var vm: VMIndex?
    public var vcpu: VCPUIndex?
    public var vector: UInt8?
    public var first: UInt64
    public var last: UInt64
    /// Of what the text counts.
    public var count: UInt64
    /// What was seen, in a sentence.
    public var text: String
}
