// SPDX-License-Identifier: Apache-2.0

extension TraceOptions {
    /// What a recording of a host together with its guests says of the others' files.
    var sessionNotes: [String] {
        var notes: [String] = []
        if !guests.isEmpty {
            let names = guests.map { "\($0.name) (vCPUs: \($0.threads.count))" }.joined(separator: ", ")
            notes.append(
                "recorded on a host\(Self.words(traceID)) together with its guests \(names): the file names their threads"
            )
        }
        if let hostTraceID {
            notes.append(
                "recorded inside a guest\(Self.words(traceID)), together with its host\(Self.words(hostTraceID)): "
                    + "its clock is not corrected by the host's")
        }
        return notes
    }

    private static func words(_ traceID: UInt64?) -> String {
        traceID.map { " (trace id 0x\(String($0, radix: 16)))" } ?? ""
    }
}
