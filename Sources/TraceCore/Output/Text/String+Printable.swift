// SPDX-License-Identifier: Apache-2.0

extension String {
    /// With what doesn't print as an escape: a name that a file or a process has given itself must not command the reader's
    /// terminal, look like another line or turn the text around.
    public var printable: String {
        if utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return self }
        var clean = ""
        for scalar in unicodeScalars {
            if scalar.isHidden { clean += scalar.escape } else { clean.unicodeScalars.append(scalar) }
        }
        return clean
    }

    /// JSON in which such characters stand escaped too. It is the same JSON: JSONEncoder escapes those of ASCII, and others occur
    /// in its strings alone.
    public var escapedJSON: String {
        if utf8.allSatisfy({ $0 < 0x7f }) { return self }
        var json = ""
        for scalar in unicodeScalars {
            guard scalar.value >= 0x7f, scalar.isHidden else {
                json.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 { json += "\\u" + Self.hex(UInt32(unit), digits: 4) }
        }
        return json
    }

    /// As text between tags or an attribute's value, in HTML and XML.
    public var escapedMarkup: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    fileprivate static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: Swift.max(0, digits - text.count)) + text
    }
}

extension Unicode.Scalar {
    /// Control characters, line and paragraph separators, and what has no shape of its own, such as marks of the direction of
    /// writing.
    fileprivate var isHidden: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }

    /// `\x0a`, `\u{202e}`.
    fileprivate var escape: String {
        value < 0x100 ? "\\x" + String.hex(value, digits: 2) : "\\u{" + String.hex(value, digits: 4) + "}"
    }
}
