// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import apictrace

@Suite struct ThreadProcessesTests {
    @Test func `a process that has ended is reported once, and its id is news again`() throws {
        var processes = ThreadProcesses()
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/sleep")
        child.arguments = ["60"]
        try child.run()
        let pid = child.processIdentifier
        #expect(processes.process(ofNew: pid) == pid)
        #expect(processes.process(ofNew: pid) == nil)
        #expect(processes.gone() == [])
        child.terminate()
        child.waitUntilExit()
        #expect(processes.gone() == [pid])
        #expect(processes.gone() == [])
    }
}
