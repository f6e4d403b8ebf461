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

    private init(system: String, id: UInt16, text: String) {
        self.system = system
        self.id = id
        self.text = Array(text.utf8)
    }

    /// An event of the same id that tells nothing.
    func nameless(system: String) -> OriginalFormat {
        OriginalFormat(
            system: system, id: id,
            text: """
                name: event_\(id)
                ID: \(id)
                format:
                \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
                \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
                \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
                \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

                print fmt: ""

                """)
    }
}
