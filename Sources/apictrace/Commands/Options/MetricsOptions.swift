// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// What monitoring is told of a live trace, and where.
struct MetricsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Also write metrics to this file, every 5 seconds and at the end: for node_exporter's textfile collector where its name "
                + "ends with .prom, else as OpenMetrics.",
            valueName: "file"), completion: .file())
    var metrics: String?

    @Option(
        help: ArgumentHelp(
            "Also serve /metrics and /healthz over HTTP: at a port of 127.0.0.1, or at an address such as 192.0.2.1:9752 or "
                + "[::1]:9752.",
            valueName: "address"))
    var listen: ListenAddress?

    func validate() throws {
        guard metrics != "-" else { throw ValidationError("--metrics takes a file: it is replaced again and again.") }
    }

    /// Nil where none are asked for.
    func outlets() throws(AddressUnavailable) -> MetricsOutlets? {
        guard metrics != nil || listen != nil else { return nil }
        let socket = try listen.map { address throws(AddressUnavailable) in try ListeningSocket(address) }
        if let socket, socket.address != listen {
            Terminal.mention("metrics are at http://\(socket.address)/metrics")
        }
        return MetricsOutlets(path: metrics, socket: socket)
    }
}
