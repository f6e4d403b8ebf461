// SPDX-License-Identifier: Apache-2.0

extension TraceOptions {
    private static let guestsNamed = 8

    /// What a recording of a host together with its guests says of the others' files.
    var sessionNotes: [String] {
        var notes: [String] = []
        if !guests.isEmpty {
            let named = guests.prefix(Self.guestsNamed).map { "\($0.name) (vCPUs: \($0.threads.count))" }
            let names = named.joined(separator: ", ") + (guests.count > named.count ? " and others" : "")
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
