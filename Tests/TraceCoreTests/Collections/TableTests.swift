// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct TableTests {
    /// Counts its copies that are alive.
    private final class Counted {
        nonisolated(unsafe) static var alive = 0
        let number: Int
        init(_ number: Int) {
            self.number = number
            Self.alive += 1
        }
        deinit { Self.alive -= 1 }
    }

    @Test func `elements keep their index while the table grows, and go with it`() {
        do {
            var table = Table<VCPUIndex, AnyObject>()
            for number in 0..<100 {
                var free: [VCPUIndex] = []
                let index = table.put(Counted(number), reusing: &free)
                #expect(index == VCPUIndex(number))
            }
            #expect(table.indices.allSatisfy { (table[$0] as? Counted)?.number == $0.place })
            #expect(Counted.alive == 100)
        }
        #expect(Counted.alive == 0)
    }

    @Test func `a place that nobody has is taken before a new one`() {
        var table = Table<VMIndex, String>(repeating: "", count: 3)
        var free: [VMIndex] = [1]
        let first = table.put("first", reusing: &free)
        let second = table.put("second", reusing: &free)
        #expect([first, second] == [1, 3])
        #expect(table.elements == ["", "first", "", "second"])
    }

    @Test func `an element is made with all before it when it is written to, and not when it is read`() {
        var table = Table<VMIndex, Int>()
        let read = table[5, default: 7]
        #expect(read == 7)
        #expect(table.count == 0)
        table[2, default: 7] += 1
        #expect(table.elements == [7, 7, 8])
    }

    @Test func `an index beyond the elements ends the process`() async {
        await #expect(processExitsWith: .failure) {
            var table = Table<VMIndex, Int>(repeating: 0, count: 3)
            table[3] = 1
        }
        await #expect(processExitsWith: .failure) {
            let table = Table<VMIndex, Int>(repeating: 0, count: 3)
            _ = table[-1]
        }
    }
}
