// SPDX-License-Identifier: Apache-2.0

/// The IPIs a vCPU sent through an emulated ICR write (`kvm_apic_ipi`), by destination, vector and mode.
public struct IPICounts: Sendable {
    public struct Line: Equatable, Sendable {
        /// As in the ICR: an APIC id or a logical destination, whatever a shorthand makes of it.
        public var destination: UInt32
        public var vector: UInt8
        public var mode: DeliveryMode
        public var count: UInt64
    }

    public private(set) var lines: [Line] = []
    public private(set) var total: UInt64 = 0
    private var last = (key: UInt64.max, index: 0)
    private var indices: [UInt64: Int] = [:]

    /// Lines beyond this are only in ``total``: more than any guest has destinations and vectors.
    static let capacity = 2048

    public init() {}

    mutating func sent(_ ipi: KVMEvent.APICIPI) {
        total &+= 1
        // Destination, mode and vector.
        let key = UInt64(ipi.destination) << 16 | UInt64(ipi.icrLow & 0x7ff)
        if last.key != key {
            guard let index = indices[key] ?? add(ipi, key) else { return }
            last = (key, index)
        }
        lines[last.index].count &+= 1
    }

    private mutating func add(_ ipi: KVMEvent.APICIPI, _ key: UInt64) -> Int? {
        guard lines.count < Self.capacity else { return nil }
        indices[key] = lines.count
        lines.append(
            Line(
                destination: ipi.destination, vector: UInt8(ipi.icrLow & 0xff), mode: DeliveryMode(icrLow: ipi.icrLow),
                count: 0))
        return lines.count - 1
    }
}
