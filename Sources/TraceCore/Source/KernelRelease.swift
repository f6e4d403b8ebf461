// SPDX-License-Identifier: Apache-2.0

/// The version at the head of a kernel's release string: enough to choose a table, never enough to judge a fix.
public struct KernelRelease: Comparable, Sendable {
    public var major: Int
    public var minor: Int

    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Finds the first `N.N` of a `uname` line, e.g. in "Linux host 6.1.0-55-amd64 x86_64".
    public init?(uname: String) {
        guard let word = Self.word(in: uname), let release = Self.release(word) else { return nil }
        self = release
    }

    /// The release is only the base that a distributor froze years ago and puts later code on, such as RHEL's
    /// 5.14.0-427.el9, SLES's 6.4.0-150600.23 and openEuler's 6.6.0-28.0.0: `N.N.0-`, and a package's number with a point
    /// in it. Debian's and Ubuntu's (6.1.0-55-amd64) follow a stable tree and have none.
    static func isFrozenBase(uname: String) -> Bool {
        guard let word = word(in: uname) else { return false }
        let parts = word.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, parts[0].hasSuffix(".0"), parts[0].split(separator: ".").count == 3 else {
            return false
        }
        let number = parts[1].prefix(while: \.isNumber)
        return !number.isEmpty && parts[1].dropFirst(number.count).first == "."
    }

    private static func word(in uname: String) -> Substring? {
        let words = uname.split(separator: " ")
        // `uname -a` has the host's name in front of the release, and that may look like one.
        return (words.first == "Linux" && words.count > 2 ? words.dropFirst(2) : words[...]).first {
            release($0) != nil
        }
    }

    private static func release(_ word: Substring) -> KernelRelease? {
        let parts = word.split(separator: ".", maxSplits: 2)
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix(while: \.isNumber)) else {
            return nil
        }
        return KernelRelease(major, minor)
    }

    public static func < (left: KernelRelease, right: KernelRelease) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
