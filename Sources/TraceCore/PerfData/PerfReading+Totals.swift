// SPDX-License-Identifier: Apache-2.0

extension PerfReading {
    func totals(_ container: PerfContainer) -> TraceTotals {
        var totals = delivery.gapTotals
        for (index, attribute) in container.attributes.enumerated() where plans[index].samples > 0 {
            let name = container.name(attribute)
            totals.byName[name, default: 0] &+= plans[index].samples
            if let id = attribute.tracepoint, container.texts.formats.unread.contains(id) {
                totals.unread[name, default: 0] &+= plans[index].samples
            }
        }
        if unknown > 0 { totals.byName["unknown"] = unknown }
        totals.unknownRecords = unknown
        if first != nil { (totals.first, totals.last) = (first, last) }
        let counted = max(lostSamples, lostByID.values.reduce(0) { $0.addingClamped($1) })
        if counted > 0 { totals.overrun = counted }
        totals.shortRecords = delivery.shortRecords
        totals.cut = [container.texts.cut, cut].compactMap(\.self).min { $0.offset < $1.offset }
        totals.notes = notes(container)
        return totals
    }

    private func notes(_ container: PerfContainer) -> [String] {
        var notes: [String] = []
        if scope.isOfThreads {
            notes.append(
                "perf recorded one process and what it started: what other threads and interrupts did for it is not here (-a "
                    + "records all)")
        }
        if !scope.cpus.isEmpty, scope.cpus.count < container.cpuCount {
            let cpus = scope.cpus.sorted().map(String.init).joined(separator: ", ")
            notes.append("perf recorded CPU \(cpus) of \(container.cpuCount) CPUs")
        }
        if stepsBack > 0 { notes.append("time goes back \(stepsBack) times; the recorded order is kept") }
        if container.isOfKVMStat {
            notes.append(
                "perf kvm stat record takes exits and entries, MMIO, MSRs and ports alone: kvm_nested_vmexit and the events of faults, "
                    + "interrupts and inhibits are not here (perf record -a -e 'kvm:*' -e 'kvmmmu:*')")
        }
        let counting = container.attributes.filter { $0.tracepoint != nil && !$0.isSampled }.map(container.name)
        if !counting.isEmpty {
            notes.append(
                "counted by perf and not recorded: \(counting.joined(separator: ", ")) (record without a group's :S)")
        }
        let seldom = container.attributes.filter { $0.tracepoint != nil && ($0.isFrequency || $0.period > 1) }
        if !seldom.isEmpty {
            notes.append("perf took samples of the events, not each of them (record without -F, and -c 1)")
        }
        if container.keepsLatest {
            notes.append("perf kept what came last (--overwrite): how much came before is not known")
        }
        if !container.hasTimes {
            notes.append(
                "there are no times: how the CPUs' events follow each other is not known (record without --no-timestamp)"
            )
        }
        return notes
    }
}
