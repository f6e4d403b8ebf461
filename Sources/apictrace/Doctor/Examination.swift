// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import TraceCore

/// All checks of one `doctor` run.
struct Examination: Codable, Equatable {
    var schemaVersion = "1.0"
    /// Live tracing should work.
    var canTrace: Bool
    var checks: [DoctorCheck]

    init(_ checks: [DoctorCheck]) {
        self.checks = checks
        canTrace = !checks.contains { $0.state == .failed }
    }

    /// Of the host that it runs on.
    static func ofThisHost() -> Examination {
        let host = HostFacts.current
        let tracing = HostChecks.tracing()
        var checks = [
            HostChecks.kernel(host), HostChecks.kvm(host), HostChecks.parameters(host), HostChecks.proc(),
            HostChecks.lockdown(), HostChecks.capabilities(), HostChecks.tracefs(), HostChecks.leftovers(),
        ]
        do {
            let types = try KernelTypes()
            checks.append(TypeChecks.btf(types))
            // Of a KVM without types nothing else can be said.
            if types.hasKVM {
                checks += [
                    TypeChecks.tracepoints(types), TypeChecks.fields(types), TypeChecks.fix(types, host),
                    TypeChecks.memoryProofs(types, host, hasProbes: tracing.state == .ok),
                ]
            }
        } catch {
            checks.append(TypeChecks.noTypes(error))
        }
        // What is missing stands in nobody's way where tracing works all the same.
        if tracing.state != .failed {
            for index in checks.indices where checks[index].state == .failed { checks[index].state = .note }
        }
        return Examination(checks + [tracing])
    }

    /// A line a check, and one for what to do.
    var text: String {
        let width = checks.map(\.name.count).max() ?? 0
        var lines = checks.flatMap { check in
            let name = check.name + String(repeating: " ", count: width - check.name.count)
            let mark =
                switch check.state {
                case .ok: "ok    "
                case .note: "note  "
                case .failed: "FAILED"
                }
            return ["\(mark)  \(name)  \(check.finding)"]
                + (check.advice.map { [String(repeating: " ", count: width + 10) + "-> \($0)"] } ?? [])
        }
        lines.append(canTrace ? "apictrace live should work here." : "apictrace live can't work here yet.")
        return lines.joined(separator: "\n")
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
