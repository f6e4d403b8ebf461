// SPDX-License-Identifier: Apache-2.0
package import TraceCore

/// The recordings that are attacked, and what comes of each of them as it is.
package struct Corpus: Sendable {
    package private(set) var recordings: [HeldRecording] = []
    private var wholes: [String: Judgement] = [:]

    package init() {}

    /// - Parameter name: what it is called in the output, and in what is to be replayed.
    package mutating func add(path: String, name: String, truth: Truth) throws(InputError) {
        let recording = try HeldRecording(path: path, name: name, truth: truth)
        recordings.append(recording)
        wholes[name] = Judgement(of: recording)
    }

    package func whole(of recording: HeldRecording) -> Judgement? { wholes[recording.name] }

    package func recording(named name: String) -> HeldRecording? { recordings.first { $0.name == name } }

    /// Recordings that could be of the same host at the same time.
    func partners(of recording: HeldRecording) -> [HeldRecording] {
        let isa = whole(of: recording)?.report.host.isa
        return recordings.filter { other in
            other.name != recording.name && !other.hasFacts && whole(of: other)?.report.host.isa == isa
                && other.info.kernel == recording.info.kernel
                && other.info.recordedKinds == recording.info.recordedKinds && other.info.clock == recording.info.clock
                && other.info.symbols == recording.info.symbols
                // A kernel that lost an interrupt lacks the fix, whatever its name.
                && (other.truth.loss == nil) == (recording.truth.loss == nil)
        }
    }
}
