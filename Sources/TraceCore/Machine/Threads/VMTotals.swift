// SPDX-License-Identifier: Apache-2.0

/// What several VMs add up to: those that ended and left nothing to tell, or all of them.
public struct VMTotals: Sendable {
    public private(set) var vms = 0
    public private(set) var vcpus = 0
    public private(set) var exits = ExitCounts()
    public private(set) var accessesByL1 = APICAccessCounts()
    public private(set) var accessesDirect = APICAccessCounts()
    public private(set) var accessesHooked = APICAccessCounts()
    /// By L2 on an APIC that L1 makes up for it.
    public private(set) var accessesOwn = APICAccessCounts()
    public private(set) var ipisSent: UInt64 = 0
    public private(set) var accepted = LevelCounts()
    public private(set) var acknowledged = LevelCounts()
    public private(set) var ended = LevelCounts()
    public private(set) var inhibited = InhibitedTime()
    /// By whichever level ran: it is not known.
    public private(set) var accessesUnbracketed = APICAccessCounts()
    /// What their traces can't show, or was true of one of them at least.
    public private(set) var isInferred = false
    public private(set) var hadAPICv = false
    public private(set) var hadPostedDevices = false
    public private(set) var hadHiddenSVI = false

    public init() {}

    /// - Parameters:
    ///   - time: up to when it is known what the VM did, where it runs on.
    ///   - selection: only its vCPUs count.
    public mutating func add(
        _ vm: VMIndex, of machine: borrowing Machine, until time: UInt64, only selection: Selection = Selection()
    ) {
        vms += 1
        inhibited.add(machine.vms[vm].apicv.inhibitedTime(until: time))
        isInferred = isInferred || machine.grouping.isInferred(vm)
        hadAPICv = hadAPICv || machine.vms[vm].isa == .vmx && machine.vms[vm].apicv.everActive
        hadPostedDevices = hadPostedDevices || machine.vms[vm].hasPostedDevices
        hadHiddenSVI = hadHiddenSVI || machine.hidesSVI(ofVM: vm)
        let isOwn = machine.vms[vm].apicOfL2.kind == .virtualised
        for vcpu in machine.vms[vm].vcpus
        where machine.vcpus[vcpu].tid != nil && selection.contains(vcpu: machine.vcpus[vcpu].id) {
            add(machine.vcpus[vcpu], isOwn: isOwn)
        }
    }

    private mutating func add(_ vcpu: VCPU, isOwn: Bool) {
        vcpus += 1
        exits.add(vcpu.exits)
        accessesByL1.add(vcpu.accessesByL1)
        if vcpu.hasNested {
            accessesUnbracketed.add(vcpu.accessesUnbracketed)
        } else {
            accessesByL1.add(vcpu.accessesUnbracketed)
        }
        accessesDirect.add(vcpu.accessesDirect.total)
        if isOwn { accessesOwn.add(vcpu.accessesHooked) } else { accessesHooked.add(vcpu.accessesHooked) }
        ipisSent &+= vcpu.ipis.total
        for vector in UInt8.min...UInt8.max where !vcpu.ledger[vector].isUntouched {
            let account = vcpu.ledger[vector]
            accepted.add(account.accepted)
            acknowledged.add(account.acknowledged)
            ended.add(account.ended)
        }
    }
}
