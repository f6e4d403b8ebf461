// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The keys of the terminal that somebody watches, one by one and unseen, until the value ends.
///
/// Signals stay the terminal's: ^C and ^Z do what they do to any process.
final class Keyboard {
    enum Key: Equatable {
        case quit, pause, up, down, enter, back
    }

    let descriptor = STDIN_FILENO
    private let before: termios

    /// Nil where standard input is no terminal, or another process has it.
    init?() {
        var settings = termios()
        guard tcgetpgrp(STDIN_FILENO) == getpgrp(), tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        before = settings
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
        // A read takes what is there, and waits for nothing.
        withUnsafeMutableBytes(of: &settings.c_cc) { keys in
            keys[Int(VMIN)] = 0
            keys[Int(VTIME)] = 0
        }
        guard tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0 else { return nil }
    }

    deinit {
        var settings = before
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    /// Those pressed since the last call; nil where the terminal is gone.
    func pressed() -> [Key]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return count < 0 && errno != EINTR && errno != EAGAIN ? nil : [] }
        return Self.keys(bytes.prefix(count))
    }

    /// Arrows come as `ESC [ A`, or as `ESC O A` from a keypad; vi's letters will do as well.
    static func keys(_ bytes: some Sequence<UInt8>) -> [Key] {
        var keys: [Key] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "q"), UInt8(ascii: "Q"): keys.append(.quit)
            case UInt8(ascii: "p"), UInt8(ascii: "P"), UInt8(ascii: " "): keys.append(.pause)
            case UInt8(ascii: "k"): keys.append(.up)
            case UInt8(ascii: "j"): keys.append(.down)
            case UInt8(ascii: "\r"), UInt8(ascii: "\n"): keys.append(.enter)
            case 0x7f, 0x08: keys.append(.back)
            case 0x1b:
                guard let next = rest.first, next == UInt8(ascii: "[") || next == UInt8(ascii: "O") else {
                    keys.append(.back)
                    continue
                }
                rest.removeFirst()
                // Parameters, and the letter that ends it.
                while let parameter = rest.first, (0x30...0x3f).contains(parameter) { rest.removeFirst() }
                switch rest.popFirst() {
                case UInt8(ascii: "A"): keys.append(.up)
                case UInt8(ascii: "B"): keys.append(.down)
                default: break
                }
            default: break
            }
        }
        return keys
    }
}
