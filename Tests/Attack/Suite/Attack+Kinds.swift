// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Kinds of event are missing: with their formats, as `trace-cmd record -e` leaves them out, or without, as in a file of
/// `trace-cmd extract`, which describes every event of the kernel.
extension Attack {
    static let kinds: [Attack] = [
        Attack(
            name: "kind", variants: { $0.kinds.count * 2 },
            change: { recording, number, _, _ in
                let kinds = recording.kinds
                guard kinds.indices.contains(number / 2) else { return false }
                recording.remove([kinds[number / 2]], isDescribed: number % 2 == 1)
                return true
            }),
        Attack(
            name: "two-kinds",
            variants: { recording in
                let count = recording.kinds.count
                return count * (count - 1)
            },
            change: { recording, number, _, _ in
                let kinds = recording.kinds
                guard kinds.count > 1 else { return false }
                let (first, other) = (number / (kinds.count - 1), number % (kinds.count - 1))
                // Each pair comes twice: once with and once without the formats.
                let second = other >= first ? other + 1 : other
                guard kinds.indices.contains(first) else { return false }
                recording.remove([kinds[first], kinds[second]], isDescribed: first < second)
                return true
            }),
        Attack(
            name: "only", variants: { _ in selections.count * 2 },
            change: { recording, number, _, _ in
                let selection = selections[number / 2 % selections.count]
                recording.keepOnly(selection, isDescribed: number % 2 == 1)
                return !recording.items.isEmpty
            }),
        Attack(
            name: "any-kinds", variants: { _ in unlimited },
            change: { recording, number, random, _ in
                let gone = recording.kinds.filter { _ in Bool.random(using: &random) }
                recording.remove(gone, isDescribed: number % 2 == 1)
                return !gone.isEmpty && !recording.items.isEmpty
            }),
    ]

    /// What people record who know what they look for.
    private static let selections: [[EventKind]] = [
        [.exit, .pageFault, .apicvInhibitChanged, .apicIPI], [.exit], [.entry, .exit], [.apicvInhibitChanged],
        [.entry, .exit, .nestedVMExit, .nestedVMExitInject, .nestedVMEnter], [.exit, .nestedVMExit], [.nestedVMExit],
        [.apicAcceptIRQ, .apicvAcceptIRQ, .eoi, .injVIRQ], [.exit, .apicAcceptIRQ, .injVIRQ],
        [.entry, .exit, .apicAcceptIRQ, .injVIRQ, .eoi, .mmio, .msr, .pageFault],
        [.pageFault, .markMMIOSPTE, .handleMMIOPageFault, .mmio], [.entry, .exit, .eoi], [.apicAcceptIRQ],
    ]
}

extension HeldRecording {
    private static let waitKinds: [EventKind] = [.entry, .apicAcceptIRQ, .injVIRQ, .nestedVMExit]

    /// - Parameter isDescribed: the file goes on describing the kinds, as it does all that the kernel has.
    mutating func remove(_ kinds: [EventKind], isDescribed: Bool) {
        let gone = kinds.reduce(into: EventKindSet()) { $0.insert($1) }
        let names = kinds.map { tracepoint(of: $0) }
        keep { _, item in item.event.map { !gone.contains($0.kind) } ?? true }
        changes.insert(.filtered)
        descriptions.append("without \(names.joined(separator: ", "))\(isDescribed ? ", described all the same" : "")")
        // On SVM nothing crosses, and where L2 and its waits are not recorded none is vouched for (docs/grades.md).
        if !ranL2OnVMX, kinds.contains(where: Self.waitKinds.contains) { showsLoss = false }
        guard !isDescribed else {
            info.describesWholeKernel = true
            return
        }
        info.recordedKinds.subtract(gone)
        info.eventsSelected?.removeAll { names.contains($0) }
        info.formatFields = info.formatFields.filter { field in !names.contains { field.hasPrefix($0 + ".") } }
    }

    mutating func keepOnly(_ kinds: [EventKind], isDescribed: Bool) {
        let others = EventKind.allCases.filter { !kinds.contains($0) }
        let names = Set(kinds.map { tracepoint(of: $0) })
        remove(others, isDescribed: isDescribed)
        descriptions.removeLast()
        descriptions.append(
            "only \(names.sorted().joined(separator: ", "))\(isDescribed ? ", everything described" : "")")
        totals.byName = totals.byName.filter { names.contains($0.key) }
        guard !isDescribed else { return }
        info.eventsSelected?.removeAll { !names.contains($0) }
    }
}
