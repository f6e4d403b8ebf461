// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Values of an option with commas between them, as trace-cmd and perf take them: `0,2-4` is for those that have ranges.
struct CommaList<Element: ExpressibleByArgument>: ExpressibleByArgument {
    let elements: [Element]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        elements = parts.compactMap { Element(argument: String($0)) }
        guard elements.count == parts.count else { return nil }
    }

    static var allValueStrings: [String] { Element.allValueStrings }
}

/// A number that counts from 0, or a range of such: `3`, `0-7`.
struct IndexRange: ExpressibleByArgument {
    let range: ClosedRange<Int32>

    init?(argument: String) {
        let bounds = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
        guard (1...2).contains(bounds.count), let first = bounds[0], let last = bounds[bounds.count - 1],
            argument.first?.isNumber == true, first <= last
        else { return nil }
        range = first...last
    }
}
