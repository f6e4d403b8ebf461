// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CBPF
import Glibc

struct Live: ParsableCommand {
    func run() throws {
        let object = try BPFObject()
        var config = probe_config(vm: 0, vcpu: -1, cpus: 2)
        _ = config.vm
        config.vcpu = -1
        try object.configure(config)
        try object.resize("counts", to: UInt32(libbpf_num_possible_cpus()))
        try object.load()
        let links = try Attachments(object.programs)
        print("attached", links.count)
        var ring = try MappedRing(descriptor: object.descriptor(ofMap: "ring"), size: 8 << 20)
        let loop = try EventLoop(drainEvery: 10_000_000, for: 3_000_000_000, catching: [SIGINT, SIGTERM])
        var n = 0
        while try loop.next() == .drain {
            try ring.drain { bytes in
                let r = bytes.load(as: probe_record.self)
                n += 1
                if n < 10 { print(r.header.kind, r.header.cpu, r.header.time, r.header.tid, r.ipi.icr_low, r.ipi.destination) }
            }
        }
        print(n)
    }
}
