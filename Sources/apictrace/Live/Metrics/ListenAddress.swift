// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc

/// Where metrics are served: numbers, since a name may stand for several addresses, or for others tomorrow.
struct ListenAddress: Equatable, ExpressibleByArgument, CustomStringConvertible {
    enum Host: Equatable {
        /// In the order in which they are written and sent.
        case v4([UInt8])
        case v6([UInt8])
    }

    let host: Host
    /// 0: one that the kernel chooses.
    let port: UInt16

    static let loopback = Host.v4([127, 0, 0, 1])

    /// `9752` (of the loopback address), `192.0.2.1:9752`, `[::1]:9752`, `localhost:9752`.
    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":") else {
            self.init(Self.loopback, port: argument[...])
            return
        }
        let name = argument[..<colon]
        guard let host = name == "localhost" ? Self.loopback : Self.host(name) else { return nil }
        self.init(host, port: argument[argument.index(after: colon)...])
    }

    private init?(_ host: Host, port: Substring) {
        guard port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(port)
        else { return nil }
        self.host = host
        self.port = port
    }

    /// As the kernel calls the address that a socket has.
    init(_ host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    private static func host(_ name: Substring) -> Host? {
        if name.hasPrefix("["), name.hasSuffix("]") {
            return bytes(of: name.dropFirst().dropLast(), family: AF_INET6, count: 16).map(Host.v6)
        }
        return bytes(of: name, family: AF_INET, count: 4).map(Host.v4)
    }

    private static func bytes(of name: Substring, family: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, String(name), &bytes) == 1 ? bytes : nil
    }

    var description: String {
        switch host {
        case .v4(let bytes): "\(Self.name(bytes, family: AF_INET)):\(port)"
        case .v6(let bytes): "[\(Self.name(bytes, family: AF_INET6))]:\(port)"
        }
    }

    private static func name(_ bytes: [UInt8], family: Int32) -> String {
        var name = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, bytes, &name, socklen_t(name.count)) != nil else { return "?" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
