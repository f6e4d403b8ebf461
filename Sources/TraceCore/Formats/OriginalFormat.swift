// SPDX-License-Identifier: Apache-2.0

/// A format text of a file whose records are copied.
struct OriginalFormat {
    let system: String
    let id: UInt16
    let text: [UInt8]

    /// Nil for a text that makes no sense.
    init?(_ text: [UInt8], system: String) {
        guard let identity = EventFormat.identity(of: text[...]) else { return nil }
        self.system = system
        self.text = text
        id = identity.id
    }
}
