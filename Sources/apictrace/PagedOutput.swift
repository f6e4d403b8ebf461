// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Text for standard output: through $PAGER where a terminal reads it and it has more lines than that shows, else as it comes.
struct PagedOutput {
    /// What a terminal's reader gets at the end; nil where nothing is paged.
    private var page: String?

    init(_ display: DisplayOptions) {
        page = Terminal.isScreen && !display.noPager ? "" : nil
    }

    mutating func add(_ text: String) {
        if page == nil { Terminal.output(text) } else { page? += text }
    }

    mutating func finish() {
        guard let page else { return }
        self.page = nil
        let lines = page.utf8.count { $0 == UInt8(ascii: "\n") }
        if lines < Terminal.rows ?? .max || !Self.show(page) { Terminal.output(page) }
    }

    /// - Returns: false where there is no pager.
    private static func show(_ text: String) -> Bool {
        let pager = Terminal.value("PAGER") ?? "less"
        guard !pager.isEmpty, pager != "cat" else { return false }
        // Colours are shown, not spelt out; what the user has set for less stays.
        setenv("LESS", "R", 0)
        // The pager may be left before it has read all; its own ^C is none of ours.
        for ignored in [SIGPIPE, SIGINT] { signal(ignored, SIG_IGN) }
        guard let stream = popen(pager, "w") else { return false }
        _ = Terminal.write(Array(text.utf8), to: fileno(stream))
        // The shell found no such command.
        return pclose(stream) >> 8 & 0xff != 127
    }
}
