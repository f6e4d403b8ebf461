// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct StreamTournamentTests {
    /// Takes the heads of all streams one after the other, as long as the tournament lets each go on.
    private func merged(_ streams: [[UInt64]]) -> [(time: UInt64, stream: Int)] {
        var positions = streams.map { _ in 0 }
        var order: [(time: UInt64, stream: Int)] = []
        var tournament = StreamTournament(
            times: streams.enumerated().compactMap { index, times in times.first.map { (index, $0) } })
        while let (stream, limit) = tournament.top {
            repeat {
                order.append((streams[stream][positions[stream]], stream))
                positions[stream] += 1
            } while positions[stream] < streams[stream].count && streams[stream][positions[stream]] <= limit
            if positions[stream] < streams[stream].count {
                tournament.replaceTop(time: streams[stream][positions[stream]])
            } else {
                tournament.removeTop()
            }
        }
        return order
    }

    @Test(arguments: [0, 1, 2, 3, 5, 8, 64, 100])
    func `all heads come by time, those of equal times by stream`(count: Int) {
        var random = SystemRandomNumberGenerator()
        for most in [UInt64(3), 1000, .max] {
            let streams = (0..<count).map { _ in
                (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    UInt64.random(in: 0...most, using: &random)
                }.sorted()
            }
            let expected = streams.enumerated().flatMap { index, times in times.map { (time: $0, stream: index) } }
                .sorted { ($0.time, $0.stream) < ($1.time, $1.stream) }
            let order = merged(streams)
            #expect(order.map(\.time) == expected.map(\.time))
            #expect(order.map(\.stream) == expected.map(\.stream))
        }
    }

    @Test func `a stream alone goes on to its end`() {
        let tournament = StreamTournament(times: [(stream: 2, time: 5)])
        let top = tournament.top
        #expect(top?.stream == 2)
        #expect(top?.limit == UInt64.max - 1)
    }
}
