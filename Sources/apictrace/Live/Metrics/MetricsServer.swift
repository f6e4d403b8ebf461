// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Serves a ``MetricsBoard`` over HTTP/1.1, on a thread of its own. It answers one request a connection, and nobody can hold more of it
/// than a few connections for a few seconds.
final class MetricsServer: Sendable {
    /// What strangers can have of it.
    struct Bounds: Sendable {
        /// Beyond these the oldest gives way: whoever sends a request at once gets through even while others only take up room.
        var connections = 64
        /// Of a connection, from its begin to its end.
        var lifetime = TimeAmount.seconds(10)
    }

    /// More than epoll, an event descriptor and a timer.
    private static let descriptorsOfLoop = 8

    private let socket: ListeningSocket
    private let board: MetricsBoard
    private let connections: Connections

    init(_ socket: ListeningSocket, board: MetricsBoard, bounds: Bounds = Bounds()) {
        self.socket = socket
        self.board = board
        connections = Connections(bounds)
    }

    /// Nothing of NIO runs before. Where it can't serve tracing goes on without.
    func start() {
        // NIO ends the process where its event loop has none left.
        do throws(BPFError) { _ = try SpareDescriptors(Self.descriptorsOfLoop) } catch {
            close(socket.descriptor)
            return Terminal.mention("--listen \(socket.address): \(error.text); tracing goes on without")
        }
        // The thread inherits that: a client who has left is an error of the write.
        EventLoop.block([SIGPIPE])
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (board, connections) = (board, connections)
        let bootstrap = ServerBootstrap(group: group).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                connections.admit(channel)
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(RequestBound())
                try pipeline.configureHTTPServerPipeline(
                    withPipeliningAssistance: false, withEncoderConfiguration: .init(),
                    withDecoderLimitConfiguration: RequestBound.ofHeaders)
                try pipeline.addHandler(MetricsResponder(board))
            }
        }
        // On failure the descriptor is NIO's to close already.
        do { _ = try bootstrap.withBoundSocket(socket.descriptor).wait() } catch {
            Terminal.mention("--listen \(socket.address): \(error); tracing goes on")
        }
        // NIO has it ignored by the whole process, in which somebody's kill -PIPE is to end the trace as it does without a server.
        signal(SIGPIPE, SIG_DFL)
    }
}

/// The connections that are open, the oldest first.
private final class Connections: Sendable {
    private let bounds: MetricsServer.Bounds
    private let open = Mutex<[any Channel]>([])

    init(_ bounds: MetricsServer.Bounds) {
        self.bounds = bounds
    }

    func admit(_ channel: any Channel) {
        let oldest = open.withLock { open in
            open.append(channel)
            return open.count > bounds.connections ? open.removeFirst() : nil
        }
        oldest?.close(promise: nil)
        let end = channel.eventLoop.scheduleTask(in: bounds.lifetime) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in
            end.cancel()
            self.open.withLock { $0.removeAll { $0 === channel } }
        }
    }
}
