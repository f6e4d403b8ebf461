// SPDX-License-Identifier: Apache-2.0
import CBPF
import Testing

@testable import apictrace

@Suite struct DropsOfProcessesTests {
    @Test func `where the maps can't be read all drops are told as anybody's, once`() {
        var drops = DropsOfProcesses(processes: -1, ended: -1)
        #expect(drops.news(counted: 0).others == 0)
        #expect(drops.isReadable)
        #expect(drops.news(counted: 5).others == 5)
        #expect(drops.news(counted: 5).others == 0)
        #expect(drops.news(counted: 7).others == 2)
        #expect(!drops.isReadable)
    }

    @Test func `a CPU's counts fill whole cache lines, and a process's value is as long as the kernel's`() {
        #expect(MemoryLayout<probe_counts>.stride % 64 == 0)
        #expect(MemoryLayout<probe_process>.stride == 16)
    }
}
