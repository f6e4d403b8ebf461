// SPDX-License-Identifier: Apache-2.0

/// Rule `stuck-isr`: an EOI in L1 that ends a lower vector (or none) while one that KVM injected into L2 is in service.
/// For vCPUs where `stale-svi` does not already carry it as a symptom.
struct StuckISR: ~Copyable, Sendable {
    private var stuck: [(vcpu: VCPUIndex, vector: UInt8, reported: Int32, at: EventStamp)] = []
    /// What is in there.
    private var known = Table<VCPUIndex, VectorSet>()

    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        if case .ended(let vector, _) = transition {
            stuck.removeAll {
                $0.vcpu == vcpu && $0.vector == vector
                    && stamp.time.elapsed(since: $0.at.time) < CrossingWatch.atOnce
            }
        }
        guard case .missedEOI(let vector, let reported) = transition else { return }
        guard !known[vcpu, default: VectorSet()].contains(vector) else { return }
        known[vcpu, default: VectorSet()].insert(vector)
        stuck.append((vcpu, vector, reported, stamp))
    }

    /// The VM of this vCPU has ended: another one has its place.
    mutating func forget(_ vcpu: VCPUIndex) {
        guard known.indices.contains(vcpu), !known[vcpu].isEmpty else { return }
        known[vcpu] = VectorSet()
        stuck.removeAll { $0.vcpu == vcpu }
    }

    func findings(in machine: borrowing Machine, explained: Set<VCPUIndex>) -> [RuleFinding] {
        stuck.filter { !explained.contains($0.vcpu) }.map { entry in
            var finding = RuleFinding(
                rule: .stuckISR, grade: .suspect, vm: machine.vcpus[entry.vcpu].vm, vcpu: entry.vcpu,
                first: entry.at.time, last: machine.now, count: 1,
                statement: "\(entry.vector.hex) stayed in service after its EOI.")
            finding.stuck = [entry.vector]
            finding.evidence.add(
                "kvm_eoi", at: entry.at,
                "EOI_INDUCED in L1 names \(UInt8(exactly: entry.reported)?.hex ?? "no vector"), \(entry.vector.hex) is in service"
            )
            return finding
        }
    }
}
