// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Several outputs of one trace, each at its own pace: moments are made at that of the fastest.
struct LiveOutputs: LiveOutput {
    private var outputs: [any LiveOutput]
    /// When each was shown a moment last, of ``MonotonicClock``: a moment's own time begins anew with the first event.
    private var shown: [UInt64?]

    init(_ outputs: [any LiveOutput]) {
        self.outputs = outputs
        shown = Array(repeating: nil, count: outputs.count)
    }

    var interval: UInt64 { outputs.map(\.interval).min() ?? .max }

    mutating func found(_ finding: Report.Finding, at place: String) {
        for index in outputs.indices { outputs[index].found(finding, at: place) }
    }

    mutating func show(_ moment: LiveMoment) {
        let now = MonotonicClock.now
        for index in outputs.indices {
            // A fastest pace that doesn't divide another one's must not put it off by a whole beat.
            let next = shown[index].map { $0 + outputs[index].interval - interval / 2 } ?? 0
            guard now >= next else { continue }
            outputs[index].show(moment)
            shown[index] = now
        }
    }

    mutating func resized() {
        for index in outputs.indices { outputs[index].resized() }
    }

    mutating func pressed(_ key: Keyboard.Key) {
        for index in outputs.indices { outputs[index].pressed(key) }
    }

    mutating func end() {
        for index in outputs.indices { outputs[index].end() }
    }

    mutating func finish(_ report: Report) throws {
        for index in outputs.indices { try outputs[index].finish(report) }
    }
}
