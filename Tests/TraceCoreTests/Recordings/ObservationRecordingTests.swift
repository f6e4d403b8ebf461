// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// The recordings are of unmodified KVM and of guests that do ordinary things: there is nothing to notice.
@Suite struct ObservationRecordingTests {
    static let all =
        IntelRecordingTests.all + AMDRecordingTests.all
        + [BitVisorRecordingTests.lossy, BitVisorRecordingTests.healthy]

    /// Each row of the fault-in table that is about the APIC page stands in some of these, so that a row that is wrong
    /// makes KVM's decision there a difference.
    @Test(arguments: all) func `an ordinary recording has no observation`(_ recording: BundledRecording) throws {
        #expect(try recording.report().observations.map(\.text) == [])
    }

    @Test func `the rows of the fault-in table that are about the APIC page stand in recordings`() throws {
        var states: [String: Set<String>] = [:]
        for recording in Self.all where !recording.name.hasPrefix("bitvisor") {
            for seen in try recording.pages() { states[seen.level, default: []].insert(seen.state) }
        }
        #expect(states["L1 active"]?.contains("mapped") == true)
        #expect(states["L1 inhibited"]?.contains("emulateOnly") == true)
        #expect(states["L2 active"]?.contains("mmioSPTE") == true)
        #expect(states["L2 inhibited"]?.contains("mmioSPTE") == true)
    }
}

extension BundledRecording {
    /// What the APIC page came to be for each level and state of APICv.
    fileprivate func pages() throws -> [(level: String, state: String)] {
        var file = try Recording(path: path)
        var listener = PageListener(machine: Machine(info: file.info))
        _ = try file.read(into: &listener)
        return listener.log.pages
    }
}

private struct PageListener: EventSink, ~Copyable {
    struct Log: MachineObserver {
        var pages: [(level: String, state: String)] = []

        mutating func observe(
            _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
        ) {
            guard case .pageChanged(let level) = transition else { return }
            let page = level == .l2 ? machine.vcpus[vcpu].pageOfL2 : machine.vcpus[vcpu].pageOfL1
            let state = machine.vms[machine.vcpus[vcpu].vm].apicv.state
            pages.append(("\(level.name) \(state.rawValue)", page.state.rawValue))
        }
    }

    var machine: Machine
    var log = Log()

    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event(let event): machine.event(event, at: stamp, observer: &log)
        case .lost(let gap): machine.lost(gap, observer: &log)
        case .fact: break
        }
    }
}
