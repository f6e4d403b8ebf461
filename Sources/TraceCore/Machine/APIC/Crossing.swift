// SPDX-License-Identifier: Apache-2.0

/// An interrupt acknowledged (IRR to ISR) at one level and ended (EOI) at the other: what leaves vmcs01.SVI stale on
/// kernels without mainline 04bc93cf49d1.
public struct Crossing: Equatable, Sendable {
    public var vector: UInt8
    public var acknowledgedAt: Level
    public var endedAt: Level
    /// One of the two is concluded rather than seen.
    public var inferred: Bool
    /// When the vector was acknowledged and by what event, nil where that was silent.
    public var acknowledged: EventStamp?
    public var by: Acknowledgement?
    /// When it was ended: the record of ``endedBy``.
    public var ended: EventStamp
    /// `kvm_eoi`, or the event that handed L2's EOI to L1.
    public var endedBy: EventKind
}
