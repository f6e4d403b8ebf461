// SPDX-License-Identifier: Apache-2.0

/// What to do about a finding, from what is known of the host. `apictrace explain` has the advice of who knows nothing of it.
struct Advice {
    private let finding: RuleFinding
    private let fix: FixState
    private let isa: ISA
    /// In the finding's VM.
    private let wasAPICvOff: Bool
    private let isLive: Bool
    private let hasSymbols: Bool
    /// Events without which a crossing and a loss don't show.
    private let missing: EventKindSet

    init(_ finding: RuleFinding, fix: FixState, in machine: borrowing Machine) {
        self.finding = finding
        self.fix = fix
        let vm = machine.vms[finding.vm]
        isa = vm.isa
        wasAPICvOff = vm.apicv.intervals.allSatisfy { $0.state == .inhibited }
        isLive = machine.info.isLive
        hasSymbols = machine.info.symbols != nil
        missing = Coverage.ledgerKinds.subtracting(machine.recordedKinds).subtracting(machine.info.absentKinds)
    }

    private static let upgrade =
        "Run a host kernel with 04bc93cf49d1 (6.14, 6.12.17, 6.1.149 or later in their series)."
    private static let workaround = "load kvm_intel with enable_apicv=0 on the host."
    private static let lore = "compare the host's kernel with the commits that apictrace explain lost-accept lists"

    var text: String {
        switch finding.rule {
        case .l2APICDirect, .l2APICDirectX2APIC: [ofExposure, toRecord].compactMap(\.self).joined(separator: " ")
        case .staleSVI: ofStaleSVI
        case .stuckISR: fix.isPresent ? Self.unexpected : finding.rule.explanation.advice
        case .lostAccept: ofLostAccept
        // What to do does not hang on what is known of the host.
        default: finding.rule.explanation.advice
        }
    }

    private var ofExposure: String {
        if fix.isPresent { return "Nothing: this kernel has the fix for stale SVI." }
        return fix.state == .absent
            ? "Nothing is lost by this alone, but this kernel lacks the fix. \(Self.upgrade) Until then \(Self.workaround)"
            : "Find out whether the host's kernel has the stale-SVI fix: \(settle)"
    }

    /// Nothing where all that shows a crossing was on.
    private var toRecord: String? {
        missing.isEmpty ? nil : "Record \(missing.names) as well: without, a loss does not show."
    }

    private var ofStaleSVI: String {
        if fix.isPresent || fix.isBroken { return Self.brokenFix }
        let change = "\(Self.upgrade) Until then \(Self.workaround) Hooking the APIC page in L1 does not help."
        guard finding.grade < .suspect, fix.state == .unknown else { return change }
        return
            "Find out first whether the host's kernel has the fix: \(settle) If it has, this is harmless; if not, \(change.prefix(1).lowercased() + change.dropFirst())"
    }

    private var ofLostAccept: String {
        if isa == .svm {
            return "Stale SVI is a matter of VMX, and this is SVM: \(Self.lore)"
                + (wasAPICvOff ? "." : ", and try kvm_amd avic=0.")
        }
        if wasAPICvOff { return "APICv was off all the time, and is not to blame: \(Self.lore)." }
        let other = "\(Self.lore), and try kvm_intel enable_apicv=0."
        if fix.isPresent { return "\(watchFirst)The fix for stale SVI is there: \(other)" }
        return watchFirst + other.prefix(1).uppercased() + other.dropFirst()
            + " After a crossing of its class or above, which may lie before this trace, the cause is most likely stale SVI: see "
            + "apictrace explain stale-svi."
    }

    /// A wait that a guest with interrupts off would explain as well.
    private var watchFirst: String {
        guard finding.grade < .suspect else { return "" }
        return isLive
            ? "Watch for longer first, as a wait may end. "
            : "Watch for longer first, best with apictrace live, which reads the guest's interrupt flag. "
    }

    private static let brokenFix =
        "Symbols or types say that this kernel has the fix, and it does not help here. Where it was backported compare it with "
        + "04bc93cf49d1; otherwise tell kvm@vger.kernel.org, with the recording. Until then \(workaround)"

    private static let unexpected =
        "The fix for crossings is in this kernel, and upgrading for it would change nothing: tell kvm@vger.kernel.org, with the "
        + "recording. Until then \(workaround)"

    /// How to learn whether the fix is there.
    private var settle: String {
        if isLive { return "apictrace doctor says why this kernel's types don't tell (svi-fix)." }
        if hasSymbols { return "the symbols that were given don't tell; apictrace explain stale-svi says how else." }
        return
            "apictrace analyze --kallsyms FILE settles it, where FILE is that kernel's /proc/kallsyms, copied by root."
    }
}
