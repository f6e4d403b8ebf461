// SPDX-License-Identifier: Apache-2.0

/// Each transition of the machine's: what it counts for, and what is kept of it.
extension Timeline {
    public mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        make(vcpu, at: stamp.time)
        switch transition {
        case .exited(let reason, let level):
            exited(reason, level: level, of: vcpu, at: stamp, isAgain: !machine.vcpus[vcpu].bracket.isLevelPresumed)
        case .woke:
            tracks[vcpu].exit?.woke = stamp.time
            note(TimelineItem(.woke), of: vcpu, at: stamp.time)
        case .accepted(let vector, let level, let silent):
            accepted(vector, level: level, silent: silent, of: vcpu, at: stamp, in: machine)
        case .refused(let vector, let level):
            count(.accepted, level, .refused, vector, of: vcpu, at: stamp.time)
        case .placed(let vector, let level):
            count(.accepted, level, .placed, vector, of: vcpu, at: stamp.time)
        case .acknowledged(let vector, let level, let how):
            count(.acknowledged, level, .acknowledged, vector, high: how.code, of: vcpu, at: stamp.time)
        case .ended(let vector, let level):
            count(.ended, level, .ended, vector, of: vcpu, at: stamp.time)
        case .crossed(let crossing):
            crossed(crossing, of: vcpu, at: stamp.time)
        case .accessed(let register, let isWrite, let level):
            accessed(.accessed, level == .l1 ? .l1 : .unknown, register, isWrite, level, of: vcpu, at: stamp.time)
            if machine.vcpus[vcpu].bracket.countedAccess != nil, machine.vcpus[vcpu].bracket.isOpen {
                tracks[vcpu].exit?.revocable = (register, isWrite)
                tracks[vcpu].accessItem = latestItem(.accessed, of: vcpu)
            }
        case .accessedDirectly(let register, let isWrite, let path):
            accessed(
                .accessedDirectly, .direct, register, isWrite, .l2, byMSR: path == .x2apic, of: vcpu, at: stamp.time)
            pin(.accessedDirectly, of: vcpu)
        case .accessHooked(let register, let isWrite):
            accessed(.accessHooked, .hooked, register, isWrite, .l2, of: vcpu, at: stamp.time)
            pin(.accessHooked, of: vcpu)
        case .sentIPI(let vector, _):
            advance(vcpu, to: stamp.time)
            tracks[vcpu].buckets.change(at: stamp.time) { $0.ipis &+= 1 }
            tracks[vcpu].sent = (vector, stamp.time)
            note(TimelineItem(.sentIPI, value: UInt16(vector)), of: vcpu, at: stamp.time)
        case .enteringL2(.some(let vector)):
            note(TimelineItem(.injectedByL1, level: .l2, value: UInt16(vector)), of: vcpu, at: stamp.time)
        case .gap:
            tracks[vcpu].interrupted(at: stamp.time, limit: limit)
            note(.gap, of: vcpu, at: stamp.time)
        case .missedEOI(let stuck, _): note(.missedEOI, UInt16(stuck), of: vcpu, at: stamp.time)
        case .reset: note(.reset, of: vcpu, at: stamp.time)
        case .inhibitsChanged: note(.inhibitsChanged, of: vcpu, at: stamp.time)
        case .initTaken: note(.initTaken, of: vcpu, at: stamp.time)
        case .sipiTaken: note(.sipiTaken, of: vcpu, at: stamp.time)
        case .offered(_, let vector): note(.offered, UInt16(vector), of: vcpu, at: stamp.time)
        case .faultInDiffers(let level, _, _): note(.faultInDiffers, level: level, of: vcpu, at: stamp.time)
        case .pageChanged(let level):
            // At the event that changed it, which is known for one by what came later.
            let page = level == .l2 ? machine.vcpus[vcpu].pageOfL2 : machine.vcpus[vcpu].pageOfL1
            note(.pageChanged, level: level, of: vcpu, at: page.shown?.at.time ?? stamp.time)
        case .reflectedInterrupt: note(TimelineItem(.reflectedInterrupt), of: vcpu, at: stamp.time)
        case .interruptWindow: note(TimelineItem(.interruptWindow, level: .l2), of: vcpu, at: stamp.time)
        case .toldIOAPIC: note(TimelineItem(.toldIOAPIC), of: vcpu, at: stamp.time)
        case .enteringL2(.none), .sentIPIInMisconfig: break
        }
    }

    /// A mark: the first of each kind stay.
    private mutating func note(
        _ kind: Event.Kind, _ value: UInt16 = 0, level: Level = .unknown, of vcpu: VCPUIndex, at time: UInt64
    ) {
        note(TimelineItem(kind, level: level, value: value), of: vcpu, at: time)
        pin(kind, of: vcpu)
    }

    @inline(__always)
    private mutating func advance(_ vcpu: VCPUIndex, to time: UInt64) {
        tracks[vcpu].buckets.advance(to: time, limit: limit)
    }

    @inline(__always)
    private mutating func exited(
        _ reason: ExitReason, level: Level, of vcpu: VCPUIndex, at stamp: EventStamp, isAgain: Bool
    ) {
        guard !isAgain else { return turnedOut(level, of: vcpu) }
        tracks[vcpu].exited(level: level, at: stamp.time, limit: limit)
        let code = UInt16(exactly: reason.code) ?? .max
        note(TimelineItem(.exit, level: level, value: code), of: vcpu, at: stamp.time)
        (tracks[vcpu].exitItem, tracks[vcpu].accessItem) = (latestItem(.exit, of: vcpu), nil)
    }

    /// The open exit is another level's, and so is an access that went for L1's.
    private mutating func turnedOut(_ level: Level, of vcpu: VCPUIndex) {
        tracks[vcpu].exit?.level = level
        if let item = tracks[vcpu].exitItem { pool.change(item) { $0.level = level } }
        guard let exit = tracks[vcpu].exit, let access = exit.revocable else { return }
        tracks[vcpu].exit?.revocable = nil
        tracks[vcpu].buckets.change(at: exit.time) { $0[.l1, isWrite: access.isWrite] &-= 1 }
        if let item = tracks[vcpu].accessItem { pool.change(item) { $0.kind = .withdrawn } }
    }

    private mutating func count(
        _ what: Bucket.Counted, _ level: Level, _ kind: Event.Kind, _ vector: UInt8, high: UInt16 = 0,
        of vcpu: VCPUIndex,
        at time: UInt64
    ) {
        advance(vcpu, to: time)
        tracks[vcpu].buckets.change(at: time) { $0[what, level] &+= 1 }
        note(TimelineItem(kind, level: level, value: high << 8 | UInt16(vector)), of: vcpu, at: time)
    }

    private mutating func accepted(
        _ vector: UInt8, level: Level, silent: Bool, of vcpu: VCPUIndex, at stamp: EventStamp,
        in machine: borrowing Machine
    ) {
        advance(vcpu, to: stamp.time)
        tracks[vcpu].buckets.change(at: stamp.time) { $0[.accepted, level] &+= 1 }
        if let sender = machine.vcpu(ofThreadAt: stamp), tracks.contains(sender), let sent = tracks[sender].sent,
            sent.vector == vector, sent.time <= stamp.time, sender.place <= Int(UInt16.max),
            sent.time >= machine.vcpus[sender].bracket.time
        {
            let item = TimelineItem(.requested, value: UInt16(sender.place))
            note(item, since: sent.time, of: vcpu, at: stamp.time)
        }
        let isMerged = machine.vcpus[vcpu].ledger[vector].pending?.since != stamp
        note(
            TimelineItem(.accepted, level: level, first: silent, second: isMerged, value: UInt16(vector)), of: vcpu,
            at: stamp.time)
    }

    private mutating func crossed(_ crossing: Crossing, of vcpu: VCPUIndex, at time: UInt64) {
        // L1 took it in silence: that is counted where it shows.
        if crossing.acknowledged == nil {
            advance(vcpu, to: time)
            tracks[vcpu].buckets.change(at: time) { $0[.acknowledged, crossing.acknowledgedAt] &+= 1 }
        }
        note(.crossed, UInt16(crossing.vector), level: crossing.endedAt, of: vcpu, at: time)
    }

    private mutating func accessed(
        _ kind: Event.Kind, _ access: Bucket.Access, _ register: APICRegister, _ isWrite: Bool, _ level: Level,
        byMSR: Bool = false, of vcpu: VCPUIndex, at time: UInt64
    ) {
        advance(vcpu, to: time)
        tracks[vcpu].buckets.change(at: time) { $0[access, isWrite: isWrite] &+= 1 }
        let offset = UInt16(truncatingIfNeeded: register.offset)
        note(
            TimelineItem(kind, level: level, first: isWrite, second: byMSR, value: offset), of: vcpu, at: time)
    }

    public mutating func finish(_ machine: borrowing Machine) {
        for vcpu in machine.vcpus.indices where hasTrack(vcpu) {
            close(vcpu, machine)
        }
        for vcpu in machine.vcpus.indices { join(vcpu, machine) }
        for vm in machine.vms.indices where !machine.vms[vm].isVacant {
            for vcpu in machine.vms[vm].vcpus where machine.vcpus[vcpu].tid != nil {
                vcpus.append(
                    VCPU(
                        vm: machine.vms[vm].serial, id: machine.vcpus[vcpu].id, tid: machine.vcpus[vcpu].tid,
                        isa: machine.vms[vm].isa, hasNested: machine.vcpus[vcpu].hasNested,
                        exitsCounted: machine.vcpus[vcpu].exitsCounted, place: vcpu))
            }
        }
    }

    /// What is open at the trace's end lasts until then.
    private mutating func close(_ vcpu: VCPUIndex, _ machine: borrowing Machine) {
        advance(vcpu, to: machine.now)
        let isBlocked = machine.vcpus[vcpu].bracket.isBlocked
        if tracks[vcpu].exit == nil, let entered = tracks[vcpu].entered {
            tracks[vcpu].buckets.spend(.guest(machine.vcpus[vcpu].mode), from: entered, to: machine.now)
        } else {
            tracks[vcpu].settle(until: machine.now, closing: isBlocked ? .blocked : nil)
        }
    }

    /// A vCPU that goes on in another place is one with what is there.
    private mutating func join(_ vcpu: VCPUIndex, _ machine: borrowing Machine) {
        guard let successor = machine.vcpus[vcpu].successor, hasTrack(vcpu) else { return }
        let buckets = tracks[vcpu].buckets
        make(successor, at: buckets.start)
        tracks[successor].buckets.add(buckets, limit: limit)
        for chunk in pool.chunks(of: vcpu) { pool.give(chunk, to: successor) }
        tracks[vcpu] = TimelineTrack()
    }
}
