// SPDX-License-Identifier: Apache-2.0
import Glibc

/// `apictrace-damage [--each COUNT] [--seconds LIMIT] FILE...`: cuts each file at every section's edge and at COUNT (1,000)
/// random offsets, flips bits COUNT times, and analyses what is left, all in this process. A trap ends it; what an analysis
/// does wrong is printed and makes the exit status 1.
@main
enum Main {
    static func main() {
        var each = 1000
        var seconds = Double.infinity
        var files: [String] = []
        var arguments = CommandLine.arguments.dropFirst()
        while let argument = arguments.popFirst() {
            switch argument {
            case "--each": each = arguments.popFirst().flatMap { Int($0) } ?? each
            case "--seconds": seconds = arguments.popFirst().flatMap { Double($0) } ?? seconds
            default: files.append(argument)
            }
        }
        let trials = files.map { file in
            guard var trial = Trial(file, each: each, seconds: seconds) else {
                print("\(file): can't be read")
                exit(2)
            }
            trial.run()
            // At once, since several of these processes write their lines to one place.
            print(([trial.summary] + trial.faults.prefix(10)).joined(separator: "\n  "))
            return trial.faults.isEmpty
        }
        exit(trials.allSatisfy(\.self) ? 0 : 1)
    }
}
