// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// A call of libbpf or of the kernel that failed: which one, on what, and errno.
struct BPFError: Error, Equatable, CustomStringConvertible {
    var call: String
    /// The program, map or file concerned, empty where there is just one.
    var subject: String
    /// errno, positive.
    var code: Int32

    init(_ call: String, _ subject: String = "", code: Int32) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// Right after a call that has set errno.
    static func last(_ call: String, _ subject: String = "") -> BPFError {
        BPFError(call, subject, code: errno)
    }

    var description: String { text }

    var text: String {
        "\(call)\(subject.isEmpty ? "" : " \(subject)"): \(Errno(rawValue: code))"
    }
}
