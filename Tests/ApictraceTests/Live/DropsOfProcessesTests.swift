// SPDX-License-Identifier: Apache-2.0
import CBPF
import Testing

@testable import apictrace

@Suite struct DropsOfProcessesTests {
    @Test func `where the maps can't be read all drops are reported as anybody's, once`() {
        var drops = DropsOfProcesses(processes: -1, ended: -1)
        #expect(drops.newLosses(counted: 0).others == 0)
        #expect(drops.isReadable)
        #expect(drops.newLosses(counted: 5).others == 5)
        #expect(drops.newLosses(counted: 5).others == 0)
        #expect(drops.newLosses(counted: 7).others == 2)
        #expect(!drops.isReadable)
    }

    @Test func `each drop of a process is reported once, whichever map it is in`() {
        var drops = DropsOfProcesses(processes: -1, ended: -1)
        #expect(drops.newLosses(running: [100: 3, 200: 1], ended: [:]) == [100: 3, 200: 1])
        #expect(drops.newLosses(running: [100: 5, 200: 1], ended: [:]) == [100: 2])
        // It ends, and is in neither map for a moment.
        #expect(drops.newLosses(running: [200: 1], ended: [:]) == [:])
        #expect(drops.newLosses(running: [200: 1], ended: [100: 6]) == [100: 1])
        // Another process has its id.
        #expect(drops.newLosses(running: [100: 2, 200: 1], ended: [:]) == [100: 2])
        #expect(drops.newLosses(running: [100: 2], ended: [200: 1]) == [:])
    }

    @Test func `a process that ends and another one with its id are two`() {
        var drops = DropsOfProcesses(processes: -1, ended: -1)
        #expect(drops.newLosses(running: [100: 7], ended: [:]) == [100: 7])
        #expect(drops.newLosses(running: [100: 2], ended: [:]) == [100: 2])
    }

    @Test func `a CPU's counts fill whole cache lines, and a process's value is as long as the kernel's`() {
        #expect(MemoryLayout<probe_counts>.stride % 64 == 0)
        #expect(MemoryLayout<probe_process>.stride == 16)
    }
}
