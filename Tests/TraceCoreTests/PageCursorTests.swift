// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct PageCursorTests {
    /// Times of the records that the cursor stops at, and how it ended.
    private func walk(
        _ page: [UInt8], _ layout: PageLayout = PageLayout(order: .little)
    ) -> (times: [UInt64], counts: [UInt64], loss: PageCursor.Loss, fault: PageCursor.Fault?)? {
        let tally = RecordTally()
        tally.bind(id: 300, to: 0)
        return page.withUnsafeBytes { bytes in
            guard var cursor = PageCursor(page: bytes, layout: layout) else { return nil }
            var times: [UInt64] = []
            while cursor.next(tally) { times.append(cursor.time) }
            return (times, [tally.count(of: 300), tally.count(of: 301)], cursor.loss, cursor.fault)
        }
    }

    @Test func `each record adds its delta, and the unbound are counted only`() throws {
        var page = TestPage(time: 1000)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        page.record(TestRecord.other(), delta: 5)
        page.longRecord(TestRecord.eoi(vcpu: 0, vector: 2), delta: 10)
        let walked = try #require(walk(page.bytes()))
        #expect(walked.times == [1000, 1015])
        #expect(walked.counts == [2, 1])
        #expect(walked.fault == nil)
    }

    @Test func `a time extend adds 59 bits`() throws {
        var page = TestPage(time: 1000)
        page.timeExtend(3 << 27 | 5)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1), delta: 2)
        #expect(try #require(walk(page.bytes())).times == [1000 + (3 << 27) + 5 + 2])
    }

    @Test func `an absolute stamp takes its top bits from the running one`() throws {
        let start: UInt64 = 9 << 59 | 70
        var page = TestPage(time: start)
        page.timeStamp(100)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1), delta: 1)
        // Lower than before within the 59 bits: they have wrapped.
        page.timeStamp(3)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        #expect(try #require(walk(page.bytes())).times == [9 << 59 | 101, 10 << 59 | 3])
    }

    @Test func `an absolute stamp before the record that precedes it is reported`() throws {
        for (stamp, isBefore) in [(1004 as UInt64, true), (1005, false), (2000, false)] {
            var page = TestPage(time: 1000)
            page.record(TestRecord.eoi(vcpu: 0, vector: 1), delta: 5)
            page.timeStamp(stamp)
            page.record(TestRecord.eoi(vcpu: 0, vector: 2))
            let tally = RecordTally()
            let goesBack = try page.bytes().withUnsafeBytes { bytes in
                var cursor = try #require(PageCursor(page: bytes, layout: page.layout))
                _ = cursor.next(tally)
                return cursor.goesBack
            }
            #expect(goesBack == isBefore)
        }
    }

    @Test func `a discarded event is passed without its delta`() throws {
        var page = TestPage(time: 1000)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        page.discarded(bytes: 16, delta: 50)
        page.record(TestRecord.eoi(vcpu: 0, vector: 2), delta: 7)
        page.endPadding()
        let walked = try #require(walk(page.bytes()))
        #expect(walked.times == [1000, 1007])
        #expect(walked.fault == nil)
    }

    /// The smallest record takes eight bytes.
    @Test(arguments: [(1, false), (2, true), (3, true)])
    func `padding up to the page's end where a record would fit is damage`(words: Int, isDamage: Bool) throws {
        var page = TestPage(time: 1000)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        let used = page.data.bytes.count
        page.endPadding()
        page.record(TestRecord.eoi(vcpu: 0, vector: 2))
        let walked = try #require(walk(page.bytes(claimed: UInt64(used + 4 * words))))
        #expect(walked.times == [1000])
        #expect(walked.fault == (isDamage ? .overrun(offset: page.layout.headerSize + used) : nil))
    }

    @Test(arguments: [4, 8])
    func `a page that calls itself empty and isn't is damaged`(longSize: Int) throws {
        let layout = PageLayout(order: .little, longSize: longSize)
        var page = TestPage(time: 1000, layout: layout)
        func hidesBytes(_ page: [UInt8]) throws -> Bool {
            try page.withUnsafeBytes { try #require(PageCursor(page: $0, layout: layout)).hidesBytes }
        }
        #expect(try !hidesBytes(page.bytes()))
        // A recorder's way to say that everything was lost.
        #expect(try !hidesBytes(page.bytes(lost: 7)))
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        let first = UInt64(page.data.bytes.count)
        page.record(TestRecord.eoi(vcpu: 0, vector: 2))
        #expect(try !hidesBytes(page.bytes()))
        #expect(try !hidesBytes(page.bytes(claimed: first)))
        #expect(try hidesBytes(page.bytes(claimed: 0)))
    }

    @Test(
        arguments: [
            (nil, PageCursor.Loss.none), (0, .uncounted), (123, .counted(123)),
        ] as [(UInt64?, PageCursor.Loss)])
    func `losses before a page are read from its flags`(lost: UInt64?, loss: PageCursor.Loss) throws {
        for longSize in [4, 8] {
            for order in [ByteOrder.little, .big] {
                let layout = PageLayout(order: order, longSize: longSize)
                var page = TestPage(time: 1, layout: layout)
                page.record(TestRecord.eoi(vcpu: 0, vector: 1, order: order))
                let walked = try #require(walk(page.bytes(lost: lost), layout))
                #expect(walked.loss == loss)
                #expect(walked.times == [1])
            }
        }
    }

    @Test func `big-endian headers have their bits in the other order`() throws {
        let layout = PageLayout(order: .big)
        var page = TestPage(time: 1000, layout: layout)
        page.timeExtend(1 << 30)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1, order: .big), delta: 3)
        #expect(try #require(walk(page.bytes(), layout)).times == [1000 + (1 << 30) + 3])
    }

    @Test func `a page that claims more than it holds yields nothing`() throws {
        var page = TestPage(time: 1000)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        let walked = try #require(walk(page.bytes(claimed: 5000)))
        #expect(walked.times.isEmpty)
        #expect(walked.fault == .overfull(claimed: 5000))
    }

    @Test func `a record that passes the used bytes ends the walk`() throws {
        var page = TestPage(time: 1000)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        page.record(TestRecord.eoi(vcpu: 0, vector: 2))
        let walked = try #require(walk(page.bytes(claimed: 36)))
        #expect(walked.times == [1000])
        #expect(walked.fault == .overrun(offset: 36))
    }

    @Test func `a page that breaks off keeps its whole records`() throws {
        var page = TestPage(time: 1000)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        page.record(TestRecord.eoi(vcpu: 0, vector: 2))
        for count in 16..<56 {
            let walked = try #require(walk(Array(page.bytes()[..<count])))
            #expect(walked.times.count == (count - 16) / 20)
            #expect(walked.fault == .cut)
        }
        #expect(walk(Array(page.bytes()[..<15])) == nil)
    }

    @Test func `a long record without a length is damage`() throws {
        var page = TestPage(time: 1000)
        page.longRecord([])
        #expect(try #require(walk(page.bytes())).fault == .overrun(offset: 16))
    }
}
