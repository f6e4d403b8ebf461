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
        let words = uname.split(separator: " ")
        // `uname -a` has the host's name in front of the release, and that may look like one.
        for word in words.first == "Linux" && words.count > 2 ? words.dropFirst(2) : words[...] {
            let parts = word.split(separator: ".", maxSplits: 2)
            guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix(while: \.isNumber))
            else {
                continue
            }
            self.init(major, minor)
            return
        }
        return nil
    }

    public static func < (left: KernelRelease, right: KernelRelease) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
