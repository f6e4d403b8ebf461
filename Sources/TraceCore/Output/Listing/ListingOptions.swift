// SPDX-License-Identifier: Apache-2.0

/// What a listing shows, and how.
public struct ListingOptions: Sendable {
    /// One JSON object a line instead of text.
    public var json = false
    /// Text begins with a line that names the columns.
    public var hasHeader = false
    /// Text in which what belongs to an exit stands indented between `{ kvm_exit` and `} kvm_entry`.
    public var brackets = false
    /// Nine digits of a second instead of six, and those of the clock.
    public var showsNanoseconds = false
    /// Behind each time, how long after the line before it.
    public var showsDifferences = false
    /// A VM is known from its first event on. Of a vCPU: what its thread emits, and what is aimed at it, such as
    /// `kvm_apic_accept_irq`.
    public var selection = Selection()
    public var cpus: [ClosedRange<Int32>] = []
    public var level: Level?
    /// Units of the trace clock.
    public var window: ClosedRange<UInt64> = 0...(.max)
    public var kinds = EventKindSet(rawValue: .max)
    /// Names of the events that the machine has no use for and that are listed; nil for all of them.
    public var others: Set<String>?

    public init() {}
}
