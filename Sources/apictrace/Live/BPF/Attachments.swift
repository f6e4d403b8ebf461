// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The links between loaded programs and their tracepoints. They end with this value, or with the process.
struct Attachments: ~Copyable {
    private var links: [OpaquePointer] = []

    /// Attaches every loaded program that has a tracepoint, in order: a tracepoint runs its programs in the order of attachment.
    init(_ programs: [BPFProgram]) throws(BPFError) {
        var made: [OpaquePointer] = []
        do {
            for program in programs where program.loads && !program.isOnDemand {
                made.append(try program.attach())
            }
        } catch {
            for link in made { bpf_link__destroy(link) }
            throw error
        }
        links = made
    }

    deinit {
        for link in links { bpf_link__destroy(link) }
    }
}
