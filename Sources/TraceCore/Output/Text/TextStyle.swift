// SPDX-License-Identifier: Apache-2.0

/// How text is laid out for its reader; whether a terminal takes colour is for the command to decide.
public struct TextStyle: Sendable {
    public var colour: Bool
    /// Columns before a line is wrapped.
    public var width: Int
    /// Lists are shown as a whole.
    public var isVerbose = false

    /// How many of a list are shown.
    func shown(_ most: Int) -> Int { isVerbose ? .max : most }

    public init(colour: Bool = false, width: Int = 100) {
        self.colour = colour
        self.width = width
    }

    public enum Ink: String, Sendable {
        case bold = "1"
        case faint = "2"
        case red = "31;1"
        case green = "32;1"
        case yellow = "33;1"
        case cyan = "36;1"
    }

    /// ANSI's Select Graphic Rendition around the text.
    public func paint(_ text: String, _ ink: Ink?) -> String {
        guard colour, !text.isEmpty, let ink else { return text }
        return "\u{1b}[\(ink.rawValue)m\(text)\u{1b}[0m"
    }
}
