// SPDX-License-Identifier: Apache-2.0

/// The stable names of the rules, as reports and `apictrace explain` use them.
public enum RuleID: String, CaseIterable, Codable, Sendable {
    case l2APICDirect = "l2-apic-direct"
    case l2APICDirectX2APIC = "l2-apic-direct-x2apic"
    case staleSVI = "stale-svi"
    case stuckISR = "stuck-isr"
    case lostAccept = "lost-accept"
    case inhibitFlapping = "inhibit-flapping"
    case initSIPIRace = "init-sipi-race"
}

extension RuleID {
    /// What it finds is a matter of lost interrupts: the grade says what is the point. The other rules speak for themselves.
    var isAboutLostInterrupts: Bool {
        switch self {
        case .l2APICDirect, .l2APICDirectX2APIC, .staleSVI, .stuckISR, .lostAccept: true
        case .inhibitFlapping, .initSIPIRace: false
        }
    }

    /// The page that `apictrace explain` prints.
    public var explanation: Explanation {
        switch self {
        case .l2APICDirect: .l2APICDirect
        case .l2APICDirectX2APIC: .l2APICDirectX2APIC
        case .staleSVI: .staleSVI
        case .stuckISR: .stuckISR
        case .lostAccept: .lostAccept
        case .inhibitFlapping: .inhibitFlapping
        case .initSIPIRace: .initSIPIRace
        }
    }
}
