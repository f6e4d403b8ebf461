// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import TraceCore

/// Answers the first request of a connection, and ends it.
final class MetricsResponder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let board: MetricsBoard
    private var request: HTTPRequestHead?

    init(_ board: MetricsBoard) {
        self.board = board
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        // With its body, which asks for nothing, the request is over. What else the connection brings is not read.
        case .head(let head): if request == nil { request = head }
        case .body: break
        case .end:
            guard let request else { return }
            respond(to: request, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func respond(to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let answer = MetricsAnswer(to: request, board, at: MonotonicClock.now)
        var headers = HTTPHeaders([
            ("Content-Type", answer.mediaType), ("Content-Length", "\(answer.text.utf8.count)"),
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Connection", "close"),
        ])
        if answer.status == .methodNotAllowed { headers.add(name: "Allow", value: "GET, HEAD") }
        if answer.varies { headers.add(name: "Vary", value: "Accept") }
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers))),
            promise: nil)
        if request.method != .HEAD {
            context.write(
                wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: answer.text)))), promise: nil
            )
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}

/// What a request is answered with.
struct MetricsAnswer: Equatable {
    var status = HTTPResponseStatus.ok
    var mediaType = "text/plain; charset=utf-8"
    var text = ""
    /// By what the request accepts.
    var varies = false

    /// - Parameter now: of ``MonotonicClock``.
    init(to request: HTTPRequestHead, _ board: MetricsBoard, at now: UInt64) {
        let path = request.uri.prefix { $0 != "?" }
        let trouble = board.trouble(at: now)
        switch path {
        case _ where request.method != .GET && request.method != .HEAD:
            self.init(.methodNotAllowed, "only GET and HEAD\n")
        case "/metrics":
            guard let page = board.page else {
                self.init(.serviceUnavailable, "tracing has not begun\n")
                return
            }
            let format = MetricsPage.Format(accepted: request.headers["accept"])
            self.init(.ok, page.texts[format] ?? "")
            mediaType = format.mediaType
            varies = true
        case "/healthz": self.init(trouble == nil ? .ok : .serviceUnavailable, "\(trouble ?? "ok")\n")
        case "/": self.init(.ok, "apictrace live: /metrics, /healthz\n")
        default: self.init(.notFound, "there are /metrics and /healthz\n")
        }
    }

    private init(_ status: HTTPResponseStatus, _ text: String) {
        self.status = status
        self.text = text
    }
}

extension MetricsPage.Format {
    /// What a client likes best of what we have (RFC 9110, 12.5.1); the text format where it likes both the same, or says nothing, as a
    /// person's browser does.
    init(accepted lines: [String]) {
        var (openMetrics, text) = (0.0, 0.0)
        for range in lines.flatMap({ $0.split(separator: ",") }) {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            let value = { (name: String) in
                parts.dropFirst().first { $0.hasPrefix(name + "=") }?.dropFirst(name.count + 1)
            }
            let weight = value("q").map { Double($0) ?? 0 } ?? 1
            switch parts.first {
            case "application/openmetrics-text":
                if (value("version") ?? "1.0.0") == "1.0.0" { openMetrics = max(openMetrics, weight) }
            case "text/plain", "text/*", "*/*": text = max(text, weight)
            default: break
            }
        }
        self = openMetrics > text ? .openMetrics : .prometheus
    }
}

/// Ends a connection that sends more than any request for metrics has.
final class RequestBound: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private static let mostBytes = 16_384
    private var received = 0

    /// For the parser, which answers 400 to what is over them.
    static var ofHeaders: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8192
        limits.maxHeaderListSize = 8192
        limits.maxHeaderFieldCount = 64
        return limits
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytes
        guard received <= Self.mostBytes else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }
}
