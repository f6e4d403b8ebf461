// SPDX-License-Identifier: Apache-2.0
import Glibc

#if FUZZED && DEBUG
    /// What libFuzzer's `main` calls first: `--seeds FOLDER FILE...` and `--list` are the harness's own.
    @_cdecl("LLVMFuzzerInitialize")
    public func fuzzerInitialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "--seeds", let folder = arguments.dropFirst().first {
            var maker = SeedMaker(folder: folder)
            for path in arguments.dropFirst(2) { maker.take(path) }
            print("\(maker.count) seeds")
            exit(0)
        }
        if arguments.first == "--list" {
            print(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))
            exit(0)
        }
        return 0
    }

    /// `APICTRACE_FUZZ` names the parser.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzerTestOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
        FuzzTarget.chosen.run(UnsafeRawBufferPointer(start: data, count: size))
        return 0
    }
#else
    /// Plainly built, so that the harness is compiled with everything else; a release build can't see the internal parsers.
    @main
    enum Fuzz {
        static func main() {
            print("The harness is built and run by `make fuzz`.")
            exit(1)
        }
    }
#endif
