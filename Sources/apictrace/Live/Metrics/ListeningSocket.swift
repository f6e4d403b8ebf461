// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// A socket that waits for whoever reads metrics. It is opened before tracing begins, so that an address that can't be had costs no
/// trace, and with the caller's own rights; what comes until the server starts waits in the kernel.
struct ListeningSocket {
    let descriptor: Int32
    /// With the port that the kernel chose.
    let address: ListenAddress

    /// Connections that may wait to be taken.
    private static let backlog: Int32 = 128

    init(_ address: ListenAddress) throws(AddressUnavailable) {
        let family = if case .v4 = address.host { AF_INET } else { AF_INET6 }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw AddressUnavailable(address, errno) }
        // Connections of an earlier run that the kernel still remembers don't stand in the way; a server that listens does.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var chosen = address
        guard Self.bind(descriptor, to: address), listen(descriptor, Self.backlog) == 0,
            Self.readPort(of: descriptor, into: &chosen)
        else {
            let code = errno
            close(descriptor)
            throw AddressUnavailable(address, code)
        }
        self.address = chosen
    }

    private static func bind(_ descriptor: Int32, to address: ListenAddress) -> Bool {
        switch address.host {
        case .v4(let bytes):
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = address.port.bigEndian
            withUnsafeMutableBytes(of: &place.sin_addr) { $0.copyBytes(from: bytes) }
            return bind(descriptor, to: place)
        case .v6(let bytes):
            var place = sockaddr_in6()
            place.sin6_family = sa_family_t(AF_INET6)
            place.sin6_port = address.port.bigEndian
            withUnsafeMutableBytes(of: &place.sin6_addr) { $0.copyBytes(from: bytes) }
            return bind(descriptor, to: place)
        }
    }

    private static func bind<Place>(_ descriptor: Int32, to place: Place) -> Bool {
        withUnsafePointer(to: place) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Place>.size)) == 0
            }
        }
    }

    /// The port is at the same place for both families.
    private static func readPort(of descriptor: Int32, into address: inout ListenAddress) -> Bool {
        var place = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = withUnsafeMutablePointer(to: &place) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        address = ListenAddress(address.host, port: UInt16(bigEndian: place.sin6_port))
        return code == 0
    }
}

/// Nobody can be served at the address that the user names.
struct AddressUnavailable: Error, CustomStringConvertible {
    let address: ListenAddress
    let code: Int32

    init(_ address: ListenAddress, _ code: Int32) {
        self.address = address
        self.code = code
    }

    var description: String {
        let advice =
            switch code {
            case EADDRINUSE: "; another program, perhaps another apictrace live, listens there: choose another port"
            case EACCES: "; ports below 1024 are root's: choose another one"
            case EADDRNOTAVAIL: "; no interface of this host has that address"
            default: ""
            }
        return "--listen \(address): \(Errno(rawValue: code))\(advice)"
    }
}
