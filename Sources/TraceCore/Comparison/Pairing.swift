// SPDX-License-Identifier: Apache-2.0

/// Which VM and vCPU of one report is held against which of the other.
///
/// The same whichever of the two is called A: each step looks at what both have left, and takes what it alone fits.
struct Pairing {
    struct VMs {
        var match: Comparison.VMMatch
        var a: Report.VM?
        var b: Report.VM?
    }

    struct VCPUs {
        var match: Comparison.VCPUMatch
        var a: Report.VCPU?
        var b: Report.VCPU?
    }

    private(set) var vms: [VMs] = []
    /// Those with a counterpart.
    private(set) var matched: [(a: Report.VM, b: Report.VM)] = []

    init(_ a: Report, _ b: Report) {
        var (left, right) = (a.vms, b.vms)
        take(.process, &left, &right) { $0.isSameProcess(as: $1) }
        takeUnique(.guest, &left, &right, by: \.guest)
        takeUnique(.command, &left, &right, by: \.command)
        takeUnique(.nested, &left, &right) { $0.hasL2 ? "" : nil }
        take(.order, &left, &right) { $0.command != nil && $0.command == $1.command }
        take(.number, &left, &right) { ($0.command == nil || $1.command == nil) && $0.id == $1.id }
        if left.count == 1, right.count == 1 { take(.only, &left, &right) { _, _ in true } }
        vms += left.map { VMs(match: .none, a: $0) }
        vms.sort { ($0.a?.id ?? .max) < ($1.a?.id ?? .max) }
        vms += right.map { VMs(match: .none, b: $0) }
        matched = vms.compactMap { pair in pair.a.flatMap { a in pair.b.map { (a, $0) } } }
    }

    private mutating func take(
        _ match: Comparison.VMMatch, _ left: inout [Report.VM], _ right: inout [Report.VM],
        where isPair: (Report.VM, Report.VM) -> Bool
    ) {
        left.removeAll { a in
            guard let index = right.firstIndex(where: { isPair(a, $0) }) else { return false }
            vms.append(VMs(match: match, a: a, b: right.remove(at: index)))
            return true
        }
    }

    /// Only where one VM on either side has the name, so that it can't be another's.
    private mutating func takeUnique(
        _ match: Comparison.VMMatch, _ left: inout [Report.VM], _ right: inout [Report.VM],
        by name: (Report.VM) -> String?
    ) {
        let names = [left, right].map { vms in Dictionary(grouping: vms.compactMap(name), by: \.self) }
        take(match, &left, &right) { a, b in
            guard let shared = name(a), shared == name(b) else { return false }
            return names.allSatisfy { $0[shared]?.count == 1 }
        }
    }

    static func vcpus(_ a: Report.VM?, _ b: Report.VM?) -> [VCPUs] {
        var pairs: [VCPUs] = []
        var (left, right) = (a?.vcpus ?? [], b?.vcpus ?? [])
        for (match, isPair) in [
            (.number, { $0.id != nil && $0.id == $1.id }), (.order, { $0.id == nil || $1.id == nil }),
        ] as [(Comparison.VCPUMatch, (Report.VCPU, Report.VCPU) -> Bool)] {
            left.removeAll { a in
                guard let index = right.firstIndex(where: { isPair(a, $0) }) else { return false }
                pairs.append(VCPUs(match: match, a: a, b: right.remove(at: index)))
                return true
            }
        }
        pairs += left.map { VCPUs(match: .none, a: $0) } + right.map { VCPUs(match: .none, b: $0) }
        return pairs.sorted { $0.number < $1.number }
    }
}

extension Pairing.VCPUs {
    fileprivate var number: Int32 { a?.id ?? b?.id ?? .max }
}

extension Report.VM {
    /// After a restart of the host a process may have the number that another had: a name that differs tells.
    fileprivate func isSameProcess(as other: Self) -> Bool {
        guard let pid, pid == other.pid else { return false }
        return [(command, other.command), (guest, other.guest)].allSatisfy { one, other in
            one == nil || other == nil || one == other
        }
    }
}
