// SPDX-License-Identifier: Apache-2.0

/// Whether the traced kernel defers SVI updates to vmcs01 while L2 runs (mainline 04bc93cf49d1, or 7.0's successor),
/// and how that is known.
public struct FixState: Equatable, Sendable {
    public enum State: String, CaseIterable, Codable, Sendable {
        case present, absent, unknown
    }

    /// Strongest first. Only the first three change grades.
    public enum Basis: String, CaseIterable, Codable, Sendable {
        case behaviour, kallsyms, btf, format, release
    }

    public var state: State
    public var basis: Basis
    public var evidence: String
    /// Symbols or types say that it is there, and interrupts that it does not work.
    public private(set) var isBroken = false

    public init(state: State, basis: Basis, evidence: String) {
        self.state = state
        self.basis = basis
        self.evidence = evidence
    }

    /// The fix may be relied on.
    public var isPresent: Bool { state == .present && basis != .format && basis != .release }

    /// What interrupts did and what symbols or types say are at odds: both are reported, and the worse counts.
    func contradicted(by reported: FixState) -> FixState {
        var worse = state == .absent ? self : reported
        let other = state == .absent ? reported : self
        worse.isBroken = state == .absent && reported.state == .present
        worse.evidence += "; yet by \(other.basis.rawValue) it is \(other.state.rawValue): \(other.evidence)"
        return worse
    }

    /// What a kernel's symbols say. The absence of one means something only below 7.0, whose successor has none.
    public static func fromSymbols(_ symbols: KernelSymbols?, release: KernelRelease?) -> FixState? {
        guard let symbols, symbols.hasKVM else { return nil }
        let name = "kvm_apic_update_hwapic_isr"
        if symbols.hasUpdateHwapicISR {
            return FixState(state: .present, basis: .kallsyms, evidence: "symbol \(name) is there")
        }
        guard let release, release < KernelRelease(7, 0) else { return nil }
        return FixState(state: .absent, basis: .kallsyms, evidence: "kvm's symbols are there, \(name) is not")
    }

    /// Hints that change no grade: fields that came with later kernels, and the release.
    public static func hint(_ info: TraceInfo) -> FixState {
        let fields: [(field: String, since: String)] = [
            ("kvm_entry.intr_info", "6.14"), ("kvm_exit.requests", "6.14"),
        ]
        if let hint = fields.first(where: { info.formatFields.contains($0.field) }) {
            return FixState(
                state: .unknown, basis: .format,
                evidence: "\(hint.field) came with \(hint.since), as the fix did: likely there, and no proof")
        }
        if info.formatFields.contains("kvm_apicv_update_request.activate") {
            return FixState(
                state: .unknown, basis: .format,
                evidence: "kvm_apicv_update_request is recorded: 5.10 to 5.15, where the fix is not known to be")
        }
        if info.formatFields.contains("kvm_entry.immediate_exit") {
            return FixState(state: .unknown, basis: .format, evidence: immediateExit(info.kernel))
        }
        if let kernel = info.kernel {
            return FixState(state: .unknown, basis: .release, evidence: "the release alone does not tell: \(kernel)")
        }
        return FixState(state: .unknown, basis: .release, evidence: "the trace names no kernel")
    }
    /// What `kvm_entry.immediate_exit` lets one guess: it came with 6.9, with 6.1.149, and with what distributors put onto theirs.
    private static func immediateExit(_ kernel: String?) -> String {
        guard let kernel, let release = KernelRelease(uname: kernel), release < KernelRelease(6, 9) else {
            return "kvm_entry.immediate_exit is recorded: 6.9 or later, with or without the fix, or 6.1.149 or later"
        }
        if release == KernelRelease(6, 1), !KernelRelease.isFrozenBase(uname: kernel) {
            return "a 6.1 with kvm_entry.immediate_exit is 6.1.149 or later: likely there, and no proof"
        }
        return "kvm_entry.immediate_exit came with 6.9 and 6.1.149: this kernel has later code, with or without the fix"
    }
}

extension FixState {
    /// As the values of ``OwnEvent/host``.
    var values: [UInt64] {
        [UInt64(State.allCases.firstIndex(of: state) ?? 0), UInt64(Basis.allCases.firstIndex(of: basis) ?? 0)]
            + evidence.words(OwnEvent.longestEvidence)
    }

    init?(_ values: [UInt64]) {
        guard values.count > 2, let state = Int(exactly: values[0]), State.allCases.indices.contains(state),
            let basis = Int(exactly: values[1]), Basis.allCases.indices.contains(basis)
        else { return nil }
        self.init(
            state: State.allCases[state], basis: Basis.allCases[basis], evidence: String(words: values[2...]))
    }
}
