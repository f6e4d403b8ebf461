// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Lays a moment out for a terminal of a given size: never wider or higher, findings before all else.
struct LiveScreen {
    let width: Int
    let height: Int
    let style: TextStyle
    var view = View()

    private struct Row {
        var indent = 0
        var label = ""
        var ink: TextStyle.Ink?
        var text = ""
    }

    func lines(_ moment: LiveMoment) -> [String] {
        guard width > 0, height > 0 else { return [] }
        let paused = view.isPaused ? "PAUSED, as it was at " : ""
        var rows = [
            Row(
                label: moment.verdict.rawValue.uppercased(), ink: moment.verdict.ink,
                text: " " + paused + Self.status(moment))
        ]
        let findings = moment.findings.map(row)
        let shown = min(findings.count, max(1, height / 3))
        rows += findings.prefix(shown)
        if shown < findings.count { rows.append(Row(text: "and \(findings.count - shown) more findings")) }
        let room = height - rows.count - 1
        guard room > 0 else { return rows.prefix(height).map(line) }
        rows += vms(moment, room: room)
        return rows.map(line) + [line(Row(ink: .faint, text: view.help))]
    }

    /// `12.3 s, 1 VM, 2 vCPUs, 152k events/s, 1.2M events, 0 dropped`.
    static func status(_ moment: LiveMoment) -> String {
        let vms = moment.vms.count + moment.parked.count
        let vcpus = moment.vms.reduce(0) { $0 + $1.vcpus.count }
        return [
            "\(seconds(moment.time)) s", "\(vms) VM\(vms == 1 ? "" : "s")",
            "\(vcpus) vCPU\(vcpus == 1 ? "" : "s")", "\(short(moment.perSecond)) events/s",
            "\(short(moment.hits)) events", "\(short(moment.dropped)) dropped",
        ].joined(separator: ", ")
    }

    /// With one decimal.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let tenths = nanoseconds / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// Four digits at most: `9999`, `12k`, `1.2M`.
    static func short(_ number: UInt64) -> String {
        guard number >= 10_000 else { return String(number) }
        var (unit, rest) = ("k", number)
        for larger in ["M", "G", "T", "P", "E"] where rest >= 1_000_000 {
            (unit, rest) = (larger, rest / 1000)
        }
        let tenths = rest / 100
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10)\(unit)" : "\(tenths / 10)\(unit)"
    }

    // MARK: Rows

    private func row(_ finding: LiveMoment.Finding) -> Row {
        let vectors = finding.vectors.prefix(6).map { " " + Hex.vector($0) }.joined()
        return Row(
            label: finding.grade.rawValue, ink: finding.grade.ink,
            text: " \(finding.rule.rawValue), \(finding.place):\(vectors) since +\(Self.seconds(finding.since)) s. "
                + finding.statement)
    }

    /// The VMs in as much detail as there is room for: all of each, a line each, and of idle ones a line for all.
    private func vms(_ moment: LiveMoment, room: Int) -> [Row] {
        if let id = view.detail, let vm = moment.vms.first(where: { $0.id == id }) { return cut(rows(vm), to: room) }
        if moment.vms.isEmpty, moment.parked.isEmpty { return [Row(text: "No vCPU has shown itself yet.")] }
        let active = moment.vms.filter { !$0.isIdle || $0.id == view.selected }
        let idle = moment.vms.filter { $0.isIdle && $0.id != view.selected }
        let folded = idle.isEmpty && moment.parked.isEmpty ? [] : [fold(idle, moment.parked)]
        let isAlone = active.isEmpty && idle.count == 1 && moment.parked.isEmpty
        let whole = active.flatMap(rows) + (isAlone ? rows(idle[0]) : folded)
        if whole.count <= room { return whole }
        return list(active, room: room - folded.count) + folded
    }

    /// A line each, around the one that is chosen.
    private func list(_ vms: [LiveMoment.VM], room: Int) -> [Row] {
        guard room > 0 else { return [] }
        guard vms.count > room else { return vms.map(summary) }
        let chosen = vms.firstIndex { $0.id == view.selected } ?? 0
        let start = min(max(0, chosen - (room - 1) / 2), vms.count - (room - 1))
        let shown = vms[start..<(start + room - 1)].map(summary)
        return shown + [
            Row(indent: 2, text: "and \(vms.count - shown.count) more VMs\(view.hasKeys ? ": arrow keys" : "")")
        ]
    }

    private func cut(_ rows: [Row], to room: Int) -> [Row] {
        rows.count <= room
            ? rows
            : rows.prefix(room - 1) + [Row(text: "and \(rows.count - room + 1) more lines on a higher terminal")]
    }

    /// `30 idle VMs: web01 (pid 14), ...`, as many as the line holds.
    /// - Parameter parked: names of those that have not run yet.
    private func fold(_ vms: [LiveMoment.VM], _ parked: [String]) -> Row {
        let count = vms.count + parked.count
        let notRun = parked.isEmpty ? "" : vms.isEmpty ? ", not run yet" : ", \(parked.count) of them not run yet"
        return Row(
            indent: 2, label: "\(count) idle VM\(count == 1 ? "" : "s")",
            text: notRun + ": " + (vms.map(\.name) + parked).joined(separator: ", "))
    }

    private func mark(_ vm: LiveMoment.VM) -> String { view.hasKeys && vm.id == view.selected ? "> " : "  " }

    private func summary(_ vm: LiveMoment.VM) -> Row {
        let state = [
            vm.grade?.rawValue, "APICv \(vm.apicv)", vm.runsL2 ? "L2" : nil,
            vm.vcpus.count == 1 ? "1 vCPU" : "\(vm.vcpus.count) vCPUs", "\(Self.short(vm.perSecond))/s",
            dropped(vm),
        ].compactMap(\.self)
        return Row(label: mark(vm) + vm.name, ink: vm.grade?.ink ?? .bold, text: "  " + state.joined(separator: ", "))
    }

    private func dropped(_ vm: LiveMoment.VM) -> String? {
        vm.dropped == 0 ? nil : "\(Self.short(vm.dropped)) dropped"
    }

    private func rows(_ vm: LiveMoment.VM) -> [Row] {
        let since = vm.since.map { " since +\(Self.seconds($0)) s" } ?? ""
        let head = Row(
            label: (view.detail == nil && vm.id == view.selected ? "> " : "") + vm.name, ink: .bold,
            text: (["  APICv \(vm.apicv)\(since)", "\(Self.short(vm.perSecond))/s"] + [dropped(vm)].compactMap(\.self))
                .joined(separator: ", "))
        return [head] + vm.accesses.map(row) + vm.vcpus.flatMap(rows)
    }

    private func row(_ accesses: LiveMoment.Accesses) -> Row {
        let registers = accesses.registers.map { name, reads, writes in
            let counts = [(reads, "r"), (writes, "w")].filter { $0.0 > 0 }.map { "\(Self.short($0.0))\($0.1)" }
            return "\(name) \(counts.joined(separator: "/"))"
        }
        return Row(indent: 2, text: "APIC accesses, \(accesses.path): \(registers.joined(separator: "  "))")
    }

    private func rows(_ vcpu: LiveMoment.VCPU) -> [Row] {
        let id = vcpu.id.map { "vCPU \($0)" } ?? "a vCPU"
        let level = vcpu.level == .unknown ? "" : ", in \(vcpu.level.name)"
        let head = Row(indent: 2, text: "\(id), thread \(vcpu.tid)\(level)\(vcpu.isHalted ? ", halted" : "")")
        return [head]
            + vcpu.troubled.map { vector in
                Row(
                    indent: 4, label: Hex.vector(vector.vector), ink: .yellow,
                    text: " accepted \(Self.short(vector.accepted)), acknowledged \(Self.short(vector.acknowledged)), "
                        + "ended \(Self.short(vector.ended))")
            }
    }

    private func line(_ row: Row) -> String {
        let lead = String(repeating: " ", count: min(row.indent, width))
        let label = row.label.printable.prefix(width - lead.count)
        let text = row.text.printable.prefix(width - lead.count - label.count)
        return lead + style.paint(String(label), row.ink) + text
    }
}

extension LiveScreen {
    /// What whoever watches has chosen to see.
    struct View: Equatable {
        /// Keys can be read.
        var hasKeys = false
        var isPaused = false
        /// The VM that the keys are at, by the report's number.
        var selected: Int?
        /// The VM that is shown alone.
        var detail: Int?

        /// - Parameter moment: what is on the screen.
        mutating func press(_ key: Keyboard.Key, _ moment: LiveMoment) {
            switch key {
            case .quit: break
            case .pause: isPaused.toggle()
            case .back: detail = nil
            case .enter: detail = detail == nil ? selected ?? moment.vms.first?.id : nil
            case .up: move(by: -1, moment)
            case .down: move(by: 1, moment)
            }
        }

        private mutating func move(by step: Int, _ moment: LiveMoment) {
            let ids = moment.vms.map(\.id)
            guard !ids.isEmpty else { return }
            let place = selected.flatMap(ids.firstIndex) ?? (step > 0 ? -1 : ids.count)
            selected = ids[min(max(place + step, 0), ids.count - 1)]
            if detail != nil { detail = selected }
        }

        var help: String {
            guard hasKeys else { return "^C ends it, with the report" }
            return "q quit, with the report   p \(isPaused ? "go on" : "pause")   arrows choose a VM   Enter "
                + (detail == nil ? "its detail" : "back to all")
        }
    }
}
