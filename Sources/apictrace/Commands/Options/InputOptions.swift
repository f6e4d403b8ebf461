// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// What input may be like.
struct InputOptions: ParsableArguments {
    @Option(
        name: [.customShort("i"), .long],
        help: ArgumentHelp("A file to read, as an argument without the option names one.", valueName: "file"),
        completion: .file())
    var input: [String] = []

    @Option(
        help: ArgumentHelp(
            "Let compressed input inflate to this many bytes (K, M, G, T: powers of 1024). Without it 250 times its size is refused "
                + "beyond 1G, and for a file that is compressed as a whole all beyond 64G.", valueName: "size"))
    var maxSize: ByteCount?

    /// All that are named, and what trace-cmd and its like read where none is.
    /// - Parameter arguments: named without an option.
    func files(_ arguments: [String]) -> [String] {
        let named = arguments + input
        return named.isEmpty ? ["trace.dat"] : named
    }

    var limit: InflationLimit { maxSize.map { InflationLimit(bytes: $0.bytes) } ?? InflationLimit() }
}

/// A size as a user gives it: `4096`, `100G`.
struct ByteCount: ExpressibleByArgument, Equatable {
    let bytes: UInt64

    init?(argument: String) {
        let shift = argument.last.flatMap { ["k": 10, "m": 20, "g": 30, "t": 40][$0.lowercased()] }
        let digits = argument.dropLast(shift == nil ? 0 : 1)
        guard digits.allSatisfy({ ("0"..."9").contains($0) }), let number = UInt64(digits), number > 0 else {
            return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        guard !overflow else { return nil }
        self.bytes = bytes
    }
}
