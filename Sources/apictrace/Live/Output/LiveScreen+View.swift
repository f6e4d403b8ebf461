// SPDX-License-Identifier: Apache-2.0
import TraceCore

extension LiveScreen {
    /// What whoever watches has chosen to see.
    struct View: Equatable {
        /// Keys can be read.
        var hasKeys = false
        var isPaused = false
        /// The VM that the keys are at, by the report's number.
        var selected: Int?
        /// The VM that is shown alone.
        var detail: Int?

        /// - Parameter moment: what is on the screen.
        mutating func press(_ key: Keyboard.Key, _ moment: LiveMoment) {
            switch key {
            case .quit: break
            case .pause: isPaused.toggle()
            case .back: detail = nil
            case .enter: detail = detail == nil ? selected ?? moment.vms.first?.id : nil
            case .up: move(by: -1, moment)
            case .down: move(by: 1, moment)
            }
        }

        private mutating func move(by step: Int, _ moment: LiveMoment) {
            let ids = moment.vms.map(\.id)
            guard !ids.isEmpty else { return }
            let place = selected.flatMap(ids.firstIndex) ?? (step > 0 ? -1 : ids.count)
            selected = ids[min(max(place + step, 0), ids.count - 1)]
            if detail != nil { detail = selected }
        }

        var help: String {
            guard hasKeys else { return "^C ends it, with the report" }
            return "q quit, with the report   p \(isPaused ? "go on" : "pause")   arrows choose a VM   Enter "
                + (detail == nil ? "its detail" : "back to all")
        }
    }
}
