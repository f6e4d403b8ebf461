// SPDX-License-Identifier: Apache-2.0

/// Text that grows line by line, with labels at the left and wrapped words beside them.
///
/// Whatever a trace brought along (commands, kernel and event text) loses its control characters here, so that a
/// file can't write to the reader's terminal.
struct TextPage {
    let style: TextStyle
    private(set) var text = ""
    var lineCount: Int { text.utf8.count { $0 == UInt8(ascii: "\n") } }

    init(style: TextStyle) {
        self.style = style
    }

    mutating func blank() {
        text += "\n"
    }

    /// Words wrapped at the style's width, all lines of them from the same column.
    mutating func add(
        _ words: String, label: String = "", indent: Int = 0, column: Int? = nil, ink: TextStyle.Ink? = nil
    ) {
        let column = column ?? indent
        let lines = Self.wrap(words, width: style.width - column)
        add(lines, label: label, indent: indent, column: column, ink: ink)
    }

    /// A shell command, wrapped between its arguments in a way that a shell understands.
    mutating func add(command: String, indent: Int) {
        let parts = command.split(separator: " -")
        add(command: parts.enumerated().map { $0 == 0 ? String($1) : "-" + $1 }, indent: indent)
    }

    /// The same of parts that are not to be broken, for a shell might take a line's end within them for a part of a word.
    mutating func add(command parts: [String], indent: Int) {
        let lines = Self.wrap(parts, width: style.width - indent - 2)
        add(lines.dropLast().map { $0 + " \\" } + lines.suffix(1), label: "", indent: indent, column: indent, ink: nil)
    }

    /// Paragraphs; a line that begins with a blank keeps its form.
    mutating func add(paragraphs: String, indent: Int) {
        for line in paragraphs.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                blank()
            } else if line.hasPrefix(" ") {
                add([String(line.dropFirst())], label: "", indent: indent, column: indent, ink: nil)
            } else {
                add(String(line), indent: indent)
            }
        }
    }

    private mutating func add(
        _ lines: [String], label: String, indent: Int, column: Int, ink: TextStyle.Ink?
    ) {
        for (index, line) in lines.enumerated() {
            let label = index == 0 ? label.printable : ""
            let lead = String(repeating: " ", count: indent)
            let gap = String(repeating: " ", count: max(0, column - indent - label.count))
            text += lead + style.paint(label, ink) + gap + line.printable + "\n"
        }
    }

    private static func wrap(_ text: String, width: Int) -> [String] {
        wrap(text.split(separator: " ", omittingEmptySubsequences: false).map(String.init), width: width)
    }

    private static func wrap(_ words: [String], width: Int) -> [String] {
        var lines: [String] = []
        var line: String?
        for word in words {
            if let begun = line, !begun.isEmpty, begun.count + 1 + word.count > width {
                lines.append(begun)
                line = word
            } else {
                line = line.map { "\($0) \(word)" } ?? word
            }
        }
        return lines + [line ?? ""]
    }
}
