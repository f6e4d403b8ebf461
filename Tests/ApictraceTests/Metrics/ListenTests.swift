// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import apictrace

/// Where `live --listen` waits for who reads metrics.
@Suite struct ListenTests {
    @Test(arguments: [
        ("9752", "127.0.0.1:9752"), ("0", "127.0.0.1:0"), ("localhost:9752", "127.0.0.1:9752"),
        ("0.0.0.0:80", "0.0.0.0:80"), ("192.0.2.1:65535", "192.0.2.1:65535"), ("[::1]:9752", "[::1]:9752"),
        ("[::]:9752", "[::]:9752"), ("[2001:DB8::0:1]:1", "[2001:db8::1]:1"),
    ])
    func `a port is of the loopback address, unless one is given`(argument: String, address: String) {
        #expect(ListenAddress(argument: argument)?.description == address)
    }

    @Test(arguments: [
        "", ":", ":9752", "9752 ", "+9752", "-1", "65536", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "::1:9752",
        "[::1]", "[::1:9752",
        "256.0.0.1:1", "1.2.3:1", "example.com:9752", "[127.0.0.1]:1", "[::1%lo]:1", "٣",
    ])
    func `anything else is none`(argument: String) {
        #expect(ListenAddress(argument: argument) == nil)
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func `the kernel chooses port 0, and an address has one who listens`(_ address: String) throws {
        let socket = try ListeningSocket(try #require(ListenAddress(argument: address)))
        defer { close(socket.descriptor) }
        #expect(socket.address.port > 0)
        #expect(fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        let other = #expect(throws: AddressUnavailable.self) { try ListeningSocket(socket.address) }
        #expect(
            other?.description
                == "--listen \(socket.address): Address already in use; another program, perhaps another apictrace "
                + "live, listens there: choose another port")
    }

    @Test func `an address that this host doesn't have is told as that`() throws {
        let other = #expect(throws: AddressUnavailable.self) {
            try ListeningSocket(try #require(ListenAddress(argument: "192.0.2.1:9752")))
        }
        #expect(other?.description.hasSuffix("no interface of this host has that address") == true)
    }

    @Test func `an address that can't be had ends live before it traces, as output that can't be written`() throws {
        let socket = try ListeningSocket(try #require(ListenAddress(argument: "0")))
        defer { close(socket.descriptor) }
        let run = try Command("live", "--listen", "\(socket.address)", "--duration", "60")
        #expect(run.status == 6)
        #expect(run.errors.hasPrefix("apictrace: --listen \(socket.address): Address already in use; "))
        #expect(run.output == "")
        #expect(try Command("live", "--listen", "nowhere").status == 64)
        #expect(try Command("live", "--metrics", "-").status == 64)
        #expect(try Command("live", "--metrics", "x", "--record", "x").status == 64)
    }
}
