// SPDX-License-Identifier: Apache-2.0
import Glibc

/// `apictrace-damage [--each COUNT] [--seconds LIMIT] FILE...`: cuts each file at every section's edge and at COUNT (1,000)
/// random offsets, flips bits COUNT times, and analyses what is left, all in this process. A trap ends it; what an analysis
/// does wrong is printed and makes the exit status 1.
@main
enum Main {
    /// The whole tool's bar, in megabytes.
    private static let mostMemory = 64

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
        var faults = 0
        var inputs = 0
        for file in files {
            guard var trial = Trial(file, each: each, seconds: seconds) else {
                print("\(file): can't be read")
                exit(2)
            }
            trial.run()
            print(trial.summary)
            for fault in trial.faults.prefix(10) { print("  \(fault)") }
            faults += trial.faults.count
            inputs += trial.inputs
        }
        let memory = peakMemory
        print("\(inputs) damaged inputs of \(files.count) files, \(faults) faults, peak memory \(memory) MB")
        if memory > mostMemory { print("more than \(mostMemory) MB") }
        exit(faults == 0 && memory <= mostMemory ? 0 : 1)
    }

    private static var peakMemory: Int {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage.ru_maxrss / 1024
    }
}
