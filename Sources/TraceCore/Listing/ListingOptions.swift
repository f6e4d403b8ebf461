// SPDX-License-Identifier: Apache-2.0

/// What a listing shows, and how.
public struct ListingOptions: Sendable {
    /// One JSON object a line instead of text.
    public var json = false
    /// Text in which what belongs to an exit stands indented between `{ kvm_exit` and `} kvm_entry`.
    public var brackets = false
    /// Only events of this VM: its VMM's process, or any thread of its vCPUs. A VM is known from its first event on.
    public var vm: Int32?
    /// Only events of this vCPU's thread and those aimed at it, such as `kvm_apic_accept_irq`.
    public var vcpu: Int32?
    public var level: Level?
    /// Units of the trace clock.
    public var window: ClosedRange<UInt64> = 0...(.max)
    public var kinds = EventKindSet(rawValue: .max)

    public init() {}
}
