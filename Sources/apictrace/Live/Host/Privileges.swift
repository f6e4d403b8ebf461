// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// What this process may do and its caller may not, by the capabilities (setcap) or the owner (chmod u+s) of the tool's file.
///
/// It is in effect only while the kernel is asked for events. Whatever the caller names is opened with the caller's rights:
/// the tool must not read a file for who can't, nor write one. Of root, who may all that anyway, only ``giveUp(startsCommand:)``
/// takes anything.
enum Privileges {
    /// Out of effect; ``raised(_:)`` can bring it back.
    static func setAside() throws(BPFError) {
        guard getuid() != 0 else { return }
        guard setegid(getgid()) == 0 else { throw .last("setegid") }
        guard seteuid(getuid()) == 0 else { throw .last("seteuid") }
        try put(intoEffect: 0, of: Capabilities.permitted)
    }

    /// Does something with it in effect. Nothing that the caller names may be opened in there.
    static func raised<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard getuid() != 0 else { return try body() }
        // What fails here is missing in there, where the kernel says so.
        seteuid(cbpf_saved_user())
        let permitted = Capabilities.permitted
        try? put(intoEffect: permitted.bits, of: permitted)
        // A process that can't get rid of them must not go on.
        defer { do { try setAside() } catch { _exit(ExitStatus.untraceable.code) } }
        return try body()
    }

    /// Gives it up for good, and of root's capabilities all: called once everything is attached and open.
    ///
    /// - Parameter startsCommand: A command is to follow, which gets what its user gets anywhere: all for root, none for others.
    static func giveUp(startsCommand: Bool) throws(BPFError) {
        if !startsCommand {
            // Up to the first that this kernel doesn't have. It takes CAP_SETPCAP; without it nobody is root here anyway.
            var capability: Int32 = 0
            while cbpf_drop_from_bounding_set(capability) == 0 { capability += 1 }
            guard cbpf_forbid_new_privileges() == 0 else { throw .last("prctl", "PR_SET_NO_NEW_PRIVS") }
        }
        guard setregid(getgid(), getgid()) == 0 else { throw .last("setregid") }
        guard setreuid(getuid(), getuid()) == 0 else { throw .last("setreuid") }
        guard cbpf_set_capabilities(0, 0) == 0 else { throw .last("capset") }
    }

    /// For a command that needs none: what the file has and its caller hasn't. Root keeps what root has.
    static func giveUpThoseOfTheFile() throws(BPFError) {
        guard getuid() != 0 else { return }
        try giveUp(startsCommand: true)
    }

    private static func put(intoEffect effective: UInt64, of permitted: Capabilities) throws(BPFError) {
        guard cbpf_set_capabilities(effective, permitted.bits) == 0 else { throw .last("capset") }
    }
}
