// SPDX-License-Identifier: Apache-2.0

extension Array {
    /// Puts an element into a place that nobody has any more, or at the end: returns which.
    ///
    /// - Parameter free: such places, the latest last.
    mutating func put(_ element: Element, reusing free: inout [Int]) -> Int {
        guard let place = free.popLast() else {
            append(element)
            return count - 1
        }
        self[place] = element
        return place
    }
}
