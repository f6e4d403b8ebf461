// SPDX-License-Identifier: Apache-2.0

/// What KVM is asked to have done otherwise, by the name that `--what-if` takes.
public enum InhibitPolicy: String, CaseIterable, Codable, Sendable {
    /// Inhibits APICv for the VM's life when L2 first reaches L1's APIC page.
    case inhibitOnL2Access = "inhibit-on-l2-access"
}
