// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Lays a moment out for a terminal of a given size: never wider or higher, findings before all else.
struct LiveScreen {
    let width: Int
    let height: Int
    let style: TextStyle

    private struct Row {
        var indent = 0
        var label = ""
        var ink: TextStyle.Ink?
        var text = ""
    }

    func lines(_ moment: LiveMoment) -> [String] {
        guard width > 0, height > 0 else { return [] }
        var rows = [
            Row(label: moment.verdict.rawValue.uppercased(), ink: moment.verdict.ink, text: " " + Self.status(moment))
        ]
        let findings = moment.findings.map(row)
        let shown = min(findings.count, max(1, height / 3))
        rows += findings.prefix(shown)
        if shown < findings.count { rows.append(Row(text: "and \(findings.count - shown) more findings")) }
        let vms = moment.vms.isEmpty ? [Row(text: "No vCPU has shown itself yet.")] : moment.vms.flatMap(self.rows)
        let room = height - rows.count
        if vms.count <= room {
            rows += vms
        } else if room > 0 {
            rows += vms.prefix(room - 1)
            rows.append(Row(text: "and \(vms.count - room + 1) more lines on a higher terminal"))
        }
        return rows.prefix(height).map(line)
    }

    /// `12.3 s, 1 VM, 2 vCPUs, 152k events/s, 1.2M events, 0 dropped`.
    static func status(_ moment: LiveMoment) -> String {
        let vcpus = moment.vms.reduce(0) { $0 + $1.vcpus.count }
        return [
            "\(seconds(moment.time)) s", "\(moment.vms.count) VM\(moment.vms.count == 1 ? "" : "s")",
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

    private func rows(_ vm: LiveMoment.VM) -> [Row] {
        let since = vm.since.map { " since +\(Self.seconds($0)) s" } ?? ""
        let head = Row(label: vm.name, ink: .bold, text: "  APICv \(vm.apicv)\(since)")
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
