// SPDX-License-Identifier: Apache-2.0

/// One VM: what its vCPUs share.
public struct VirtualMachine: Sendable {
    /// How many VMs were there before it: what it is called by, since places in the machine are used again.
    public let serial: Int
    /// It runs no more.
    public internal(set) var hasEnded = false
    /// The VMM's command, once that has ended.
    var command: String?
    /// The same of the guest's own name.
    var guest: String?
    public internal(set) var isa: ISA = .unknown
    public internal(set) var apicv = APICvTimeline()
    public internal(set) var apicOfL2 = APICOfL2()
    /// Events that were lost and are known to have been this VM's, or another's of its process.
    public private(set) var eventsLost: UInt64 = 0
    /// An assigned device's interrupts are posted by the IOMMU, without an event each.
    public internal(set) var hasPostedDevices = false
    /// Something happened that only a VM with APICv in use does, whatever its inhibit events say.
    var usesAPICv = false
    /// KVM's own page is behind the guest's APIC page: it was mapped for L1, or virtualised by hardware there.
    var hasAPICAccessPage = false
    /// KVM emulated an access of L1's to the APIC page without making an MMIO SPTE.
    var emulatesWithoutSPTE = false
    /// Indices of its vCPUs in the machine, in order of appearance.
    public private(set) var vcpus: [VCPUIndex] = []
    private var indices: [Int32: VCPUIndex] = [:]

    init(serial: Int) {
        self.serial = serial
    }

    /// The index of the vCPU with an id.
    func vcpu(id: Int32) -> VCPUIndex? { indices[id] }

    /// It has ended and was counted: its place is the next one's.
    public private(set) var isVacant = false

    mutating func lost(_ events: UInt64) {
        eventsLost = eventsLost.addingClamped(events)
        apicv.touchedByGap()
    }

    mutating func vacate() {
        self = VirtualMachine(serial: serial)
        (hasEnded, isVacant) = (true, true)
    }

    mutating func add(_ vcpu: VCPUIndex, id: Int32?) {
        vcpus.append(vcpu)
        if let id { indices[id] = vcpu }
    }

    /// The id of a vCPU became known.
    mutating func learned(id: Int32, of vcpu: VCPUIndex) {
        indices[id] = vcpu
    }

    mutating func remove(_ vcpu: VCPUIndex, id: Int32?) {
        vcpus.removeAll { $0 == vcpu }
        if let id, indices[id] == vcpu { indices[id] = nil }
    }
}
