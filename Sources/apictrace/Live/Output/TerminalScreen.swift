// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// `live` on a terminal: a ``LiveScreen`` drawn again and again on the alternate screen, which leaves what was on the
/// terminal before as it was.
struct TerminalScreen: LiveOutput {
    let out: OutputQueue
    let style: TextStyle
    /// Four times a second at most.
    let interval: UInt64 = 250_000_000
    private var latest: LiveMoment?
    private var view: LiveScreen.View
    private var isOpen = false

    private static let open = "\u{1b}[?1049h\u{1b}[?25l"
    private static let close = "\u{1b}[?25h\u{1b}[?1049l"
    private static let home = "\u{1b}[H"
    private static let clearLine = "\u{1b}[K"
    private static let clearBelow = "\u{1b}[J"

    init(out: OutputQueue, style: TextStyle, hasKeys: Bool) {
        self.out = out
        self.style = style
        view = LiveScreen.View(hasKeys: hasKeys)
    }

    mutating func show(_ moment: LiveMoment) {
        // Also while it stands still: what a key changed may have found the terminal busy.
        if !view.isPaused { latest = moment }
        draw()
    }

    mutating func resized() {
        draw()
    }

    mutating func pressed(_ key: Keyboard.Key) {
        guard let latest else { return }
        view.press(key, latest)
        draw()
    }

    mutating func end() {
        if isOpen { out.putLast(Self.close) }
        isOpen = false
    }

    func finish(_ report: Report) throws {
        out.putLast(report.text(style: Terminal.fitted(style), rows: Terminal.rows))
    }

    private mutating func draw() {
        // A terminal that is stopped gets the moment that is current when it goes on.
        guard let latest, out.isIdle else { return }
        let size = Terminal.size ?? (columns: 80, rows: 24)
        let screen = LiveScreen(width: size.columns, height: size.rows, style: style, view: view)
        let text = screen.lines(latest).joined(separator: Self.clearLine + "\r\n")
        out.put((isOpen ? "" : Self.open) + Self.home + text + Self.clearLine + Self.clearBelow)
        isOpen = true
    }
}
