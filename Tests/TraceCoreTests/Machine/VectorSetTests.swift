// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct VectorSetTests {
    @Test(arguments: [0, 63, 64, 127, 128, 191, 192, 255] as [UInt8])
    func `each word's ends go in and out`(_ vector: UInt8) {
        var set = VectorSet([vector])
        #expect(set.vectors == [vector])
        #expect(set.highest == vector)
        set.remove(vector)
        #expect(set.isEmpty)
        #expect(set.highest == nil)
    }

    @Test func `the highest is the highest`() {
        var set = VectorSet([0x30, 0xfd, 0x81])
        #expect(set.highest == 0xfd)
        set.remove(0xfd)
        #expect(set.highest == 0x81)
    }

    @Test(arguments: [0, 1, 63, 64, 100, 128, 255] as [UInt8])
    func `all from a vector up are removed, and none below`(_ vector: UInt8) {
        var set = VectorSet.all
        set.removeAll(from: vector)
        #expect(set.vectors == Array((0...255).prefix(Int(vector))))
    }
}
