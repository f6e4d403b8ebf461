// SPDX-License-Identifier: Apache-2.0

/// Why an accepted interrupt has not been seen to be acknowledged.
public enum InterruptClass: String, CaseIterable, Codable, Sendable {
    /// The trace ends too soon after it.
    case pendingAtEnd = "pending at end of trace"
    case masked = "masked or lower priority"
    /// Virtual-interrupt delivery and AVIC leave no event.
    case silent = "silent by design"
    /// KVM_GUESTDBG_BLOCKIRQ.
    case blocked = "blocked on purpose"
    case touchedByGap = "touched by a gap"
    case unexplained
}
