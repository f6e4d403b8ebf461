// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOCore
import NIOHTTP1
import Testing
import TraceCore

@testable import apictrace

/// What `live --listen` answers, and that nobody can keep it from answering others.
@Suite(.serialized) struct MetricsServerTests {
    private let board = MetricsBoard()

    private func put(_ name: String = "page", at time: UInt64 = MonotonicClock.now, isTracing: Bool = true) {
        board.put(
            .init(texts: [.openMetrics: "\(name) # EOF\n", .prometheus: "\(name)\n"], time: time, isTracing: isTracing))
    }

    private func start(_ bounds: MetricsServer.Bounds = .init()) throws -> UInt16 {
        let socket = try ListeningSocket(try #require(ListenAddress(argument: "0")))
        MetricsServer(socket, board: board, bounds: bounds).start()
        return socket.address.port
    }

    private func answer(_ method: HTTPMethod, _ uri: String, accept: [String] = [], at now: UInt64? = nil)
        -> MetricsAnswer
    {
        let headers = HTTPHeaders(accept.map { ("Accept", $0) })
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers)
        return MetricsAnswer(to: head, board, at: now ?? MonotonicClock.now)
    }

    // MARK: Answers

    @Test(arguments: [
        ("application/openmetrics-text", true), ("application/openmetrics-text; version=1.0.0; charset=utf-8", true),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2", true
        ),
        ("application/openmetrics-text;version=0.0.1,text/plain;q=0.5", false),
        ("text/plain, application/openmetrics-text;q=0.9", false), ("application/openmetrics-text;q=0", false),
        ("application/openmetrics-text;q=0.9, */*", false), ("application/openmetrics-text;q=x", false),
        ("APPLICATION/OpenMetrics-Text ; Q=1", true), ("text/html,*/*;q=0.8", false), ("", false), (",;=,;;q", false),
    ])
    func `a client has the format that it likes best, and the text format if in doubt`(
        accept: String, isOpenMetrics: Bool
    ) {
        #expect(MetricsPage.Format(accepted: [accept]) == (isOpenMetrics ? .openMetrics : .prometheus))
    }

    @Test func `paths and methods that there are, and others`() {
        #expect(answer(.GET, "/metrics").status == .serviceUnavailable)
        put()
        #expect(answer(.GET, "/metrics").text == "page\n")
        #expect(answer(.GET, "/metrics?x=1").mediaType == "text/plain; version=0.0.4; charset=utf-8")
        let other = answer(.GET, "/metrics", accept: ["text/plain;q=0.5", "application/openmetrics-text"])
        #expect(other.text == "page # EOF\n")
        #expect(other.mediaType == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(other.varies)
        #expect(answer(.GET, "/").status == .ok)
        for path in ["", "/metrics/", "//metrics", "/metricsx", "/../etc/passwd", "*"] {
            #expect(answer(.GET, path).status == .notFound, "\(path)")
        }
        for method in [HTTPMethod.POST, .PUT, .OPTIONS, .CONNECT, .RAW(value: "X")] {
            #expect(answer(method, "/metrics").status == .methodNotAllowed)
        }
    }

    @Test func `it is well while pages come, and once the trace is over`() {
        let second: UInt64 = 1_000_000_000
        #expect(answer(.GET, "/healthz").status == .serviceUnavailable)
        put(at: 100 * second)
        #expect(answer(.GET, "/healthz", at: 115 * second).text == "ok\n")
        let late = answer(.GET, "/healthz", at: 116 * second)
        #expect(late.status == .serviceUnavailable)
        #expect(late.text == "the analysis has told nothing for 16 s\n")
        // Readers whose clock is a little behind.
        #expect(answer(.GET, "/healthz", at: 99 * second).status == .ok)
        put(at: 100 * second, isTracing: false)
        #expect(answer(.GET, "/healthz", at: 1000 * second).status == .ok)
    }

    // MARK: Over a socket

    @Test func `one request a connection, each with the page of its moment`() throws {
        put("one")
        let port = try start()
        let first = try Client(port).exchange("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n")
        #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(first.contains("\r\nContent-Length: 4\r\n"))
        #expect(first.contains("\r\nConnection: close\r\n"))
        #expect(first.hasSuffix("\r\n\r\none\n"))
        put("two")
        #expect(try Client(port).exchange("GET /metrics HTTP/1.0\r\n\r\n").hasSuffix("\r\n\r\ntwo\n"))
        let head = try Client(port).exchange("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(head.contains("\r\nContent-Length: 4\r\n"))
        #expect(head.hasSuffix("\r\n\r\n"))
        let post = try Client(port).exchange("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
        #expect(post.hasPrefix("HTTP/1.1 405 "))
        #expect(post.contains("\r\nAllow: GET, HEAD\r\n"))
    }

    @Test(arguments: [
        "\r\n\r\n\r\nx\r\n", "\u{0}\u{1}\u{2}", "GET /metrics HTTP/9.9\r\n\r\n", "GET /metrics\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET /metrics HTTP/1.1\r\nA b: c\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}",
        "GET /metrics HTTP/1.1\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
        "GET /\(String(repeating: "x", count: 100_000)) HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\(String(repeating: "X: y\r\n", count: 2000))\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n\(String(repeating: "x", count: 100_000))",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\(String(repeating: "1\r\nx\r\n", count: 20_000))",
    ])
    func `what is no request ends without a page, and the next one has its own`(_ bytes: String) throws {
        put()
        let port = try start()
        #expect(!(try Client(port).exchange(bytes)).contains("page"))
        #expect(try Client(port).exchange("GET /metrics HTTP/1.1\r\n\r\n").hasSuffix("page\n"))
    }

    @Test func `a request that never ends does, and so does a client that reads nothing`() throws {
        board.put(.init(texts: [.prometheus: String(repeating: "x", count: 20_000_000)], time: 0, isTracing: true))
        let port = try start(.init(lifetime: .milliseconds(300)))
        let slow = try Client(port)
        #expect(slow.send("GET /metrics HTTP/1.1\r\n"))
        let silent = try Client(port)
        let deaf = try Client(port)
        #expect(deaf.send("GET /metrics HTTP/1.1\r\n\r\n"))
        #expect(slow.rest(seconds: 60) == "")
        #expect(silent.rest(seconds: 60) == "")
        // Its time is over with theirs.
        sleep(2)
        #expect(deaf.rest(seconds: 60)?.utf8.count ?? .max < 20_000_000)
    }

    @Test func `thousands who only take up room give way to who asks`() throws {
        put()
        // So long that none of them goes for its age.
        let port = try start(.init(lifetime: .minutes(10)))
        var idlers: [Client] = []
        for number in 0..<2000 {
            idlers.append(try Client(port))
            #expect(idlers[number].send("GET /metrics HTTP/1.1\r\nX-Slow: "))
            guard number.isMultiple(of: 100) else { continue }
            #expect(try Client(port).exchange("GET /metrics HTTP/1.1\r\n\r\n").hasSuffix("page\n"))
        }
        // Those that gave way have read their end; of the others there are as many as it keeps at most.
        #expect(idlers.prefix(1900).allSatisfy { $0.rest(seconds: 60) == "" })
        #expect(idlers.suffix(20).allSatisfy { $0.rest(seconds: 0.01) == nil })
    }
}

/// A TCP connection to the loopback address.
private final class Client {
    private let descriptor: Int32

    struct NoConnection: Error {}

    init(_ port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard code == 0 else { throw NoConnection() }
    }

    deinit { close(descriptor) }

    /// Sends as much as the server takes, and reads until it ends the connection.
    func exchange(_ text: String, seconds: Double = 60) throws -> String {
        _ = send(text)
        return rest(seconds: seconds) ?? "not answered"
    }

    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Up to the end of the connection; nil where that doesn't come.
    func rest(seconds: Double) -> String? {
        var time = timeval(tv_sec: Int(seconds), tv_usec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1e6))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EAGAIN { return nil }
            // A connection that is reset has ended, too.
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
