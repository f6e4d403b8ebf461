// SPDX-License-Identifier: Apache-2.0

/// What a file says of itself that `apictrace cut` made of a larger one.
public struct PartOfTrace: Equatable, Sendable {
    /// What it was cut out for, such as `F1 (stale-svi, confirmed)`.
    public var purpose: String
    /// Names and addresses are not those of the whole.
    public var isRedacted: Bool
    /// Events of the whole that are not in it.
    public var leftOut: UInt64 = 0

    public init(purpose: String, isRedacted: Bool) {
        self.purpose = purpose
        self.isRedacted = isRedacted
    }

    /// A file that has lost the record which says so still tells what was left out.
    init() {
        self.init(purpose: "", isRedacted: false)
    }
}

extension PartOfTrace {
    /// Why nothing found in it is not nothing there.
    public var doubt: String {
        "This is a part of a recording, made by apictrace cut" + (purpose.isEmpty ? "" : " for \(purpose)") + ": "
            + (leftOut == 0 ? "events" : "\(leftOut) events") + " of the whole are not in it, and may hold more"
            + (isRedacted ? "; names and addresses in it are replaced." : ".")
    }

    func leavingOut(_ events: UInt64) -> PartOfTrace {
        var part = self
        part.leftOut = leftOut.addingClamped(events)
        return part
    }

    /// As the values of ``OwnEvent/cut``.
    var values: [UInt64] { purpose.words(OwnEvent.longestPurpose) + [isRedacted.word] }

    /// - Parameter values: of a record of ``OwnEvent/cut``.
    init(_ values: [UInt64]) {
        self.init(purpose: String(words: values.dropLast()), isRedacted: values.last != 0)
    }
}
