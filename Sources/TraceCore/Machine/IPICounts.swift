// SPDX-License-Identifier: Apache-2.0

/// The IPIs a vCPU sent through an emulated ICR write (`kvm_apic_ipi`), by destination, vector and mode.
public struct IPICounts: Equatable, Sendable {
    public struct Line: Equatable, Sendable {
        /// As in the ICR: an APIC id or a logical destination, whatever a shorthand makes of it.
        public var destination: UInt32
        public var vector: UInt8
        public var mode: DeliveryMode
        public var count: UInt64
    }

    public private(set) var lines: [Line] = []
    public private(set) var total: UInt64 = 0
    private var last = 0

    public init() {}

    mutating func sent(_ ipi: KVMEvent.APICIPI) {
        total &+= 1
        let line = Line(
            destination: ipi.destination, vector: UInt8(ipi.icrLow & 0xff), mode: DeliveryMode(icrLow: ipi.icrLow),
            count: 1)
        if lines.indices.contains(last), isSame(lines[last], line) {
            lines[last].count &+= 1
        } else if let index = lines.firstIndex(where: { isSame($0, line) }) {
            lines[index].count &+= 1
            last = index
        } else {
            last = lines.count
            lines.append(line)
        }
    }

    private func isSame(_ left: Line, _ right: Line) -> Bool {
        left.destination == right.destination && left.vector == right.vector && left.mode == right.mode
    }
}
