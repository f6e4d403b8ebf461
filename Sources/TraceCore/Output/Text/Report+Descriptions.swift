// SPDX-License-Identifier: Apache-2.0

extension Report.Finding {
    /// `vector 0x30`, `vectors 0x41 and 0x51`; of many, the first.
    func vectorList(_ style: TextStyle) -> String {
        let shown = style.shown(6)
        let noun = vectors.count == 1 ? "vector" : "vectors"
        guard vectors.count > shown else { return "\(noun) \(vectors.listed)" }
        return "\(noun) \(vectors.prefix(shown).joined(separator: ", ")) and \(vectors.count - shown) more"
    }
}

extension Report.Crossing {
    /// `0x30 acknowledged in L1, ended in L2`.
    var description: String {
        let levels = "acknowledged in \(ackLevel.rawValue.uppercased()), ended in \(eoiLevel.rawValue.uppercased())"
        return "\(vector) \(levels)" + (inferred ? " (inferred)" : "")
    }
}

extension Report.Host {
    /// Of stale SVI only VMX can suffer.
    var description: String {
        let inhibit = inhibitOnL2Access.map {
            "; APICv is inhibited where L2 reaches L1's APIC page (\($0.name), bit \($0.bit))"
        }
        return switch isa {
        case .vmx: "Host: VMX; KVM's fix for stale SVI \(sviFix.description)\(inhibit ?? "")"
        case .unknown: "Host: VMX or SVM, which can't be told\(inhibit ?? "")"
        case .svm, .pvm: "Host: \(isa.rawValue.uppercased()), which needs no fix for stale SVI\(inhibit ?? "")"
        }
    }
}

extension Report.SVIFix {
    /// `absent (kallsyms): ...`.
    var description: String { "\(state.rawValue) (\(basis.rawValue)): \(evidence)" }
}

extension Report.APICvInterval {
    /// `inhibited 0x28 (BLOCKIRQ, APIC_ID_MODIFIED), set by thread 214`.
    var description: String {
        var words = state.rawValue
        if state == .inhibited {
            words += mask == "0x0" ? ", by what mask is not known" : " \(mask)"
            if !inhibits.isEmpty { words += " (\(inhibits.joined(separator: ", ")))" }
        }
        if inferred { words += ", inferred" }
        if let setBy { words += ", set by thread \(setBy.tid)" }
        return words
    }
}

extension Report.InterruptLine {
    /// All of the line, with `?` for what the trace can't show.
    var description: String {
        "\(vector): accepted \(accepted.description); acknowledged \(acknowledged.description), reinjected "
            + "\(reinjected.orUnknown); ended \(ended.description); coalesced \(coalesced.orUnknown); outstanding "
            + outstanding.orUnknown + (`class`.map { ": \($0.rawValue)" } ?? "")
    }
}

extension Report.LevelCounts {
    /// `1 in L1, 401 in L2`; levels without any are left out.
    var description: String {
        let levels = [(l1, "in L1"), (l2, "in L2"), (unknown, "at an unknown level")].filter { $0.0 != 0 }
        if levels.isEmpty { return "0" }
        if levels.allSatisfy({ $0.0 == nil }) { return "?" }
        return levels.map { "\($0.0.orUnknown) \($0.1)" }.joined(separator: ", ")
    }
}

extension [String: Report.RegisterAccess] {
    /// `EOI 1 write; ISR 8 reads`, by name.
    var description: String {
        sorted { $0.key < $1.key }.map { name, access in
            let counts = [("read", access.reads), ("write", access.writes)].filter { $0.1 != 0 }
            return "\(name) " + counts.map { "\($0.1) \($0.0)\($0.1 == 1 ? "" : "s")" }.joined(separator: ", ")
        }.joined(separator: "; ")
    }
}

extension UInt64? {
    var orUnknown: String { map(String.init) ?? "?" }
}
