// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// `APICTRACE_FUZZ=1` leaves only what the fuzz harness is made of: libFuzzer's `main` goes into every program of the package,
/// those that the build itself runs included.
let isFuzzed = Context.environment["APICTRACE_FUZZ"] != nil

/// `APICTRACE_OPTIMISED_CORE=1`, as `make test` has it: the tests read hundreds of recordings, which takes minutes less where their readers
/// are optimised. Overflow and bounds checks stay, and all else is the debug build's.
let isCoreOptimised = Context.environment["APICTRACE_OPTIMISED_CORE"] != nil

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let system: Package.Dependency = .package(url: "https://github.com/apple/swift-system", exact: "1.8.1")

let package = Package(
    name: "apictrace",
    products: [
        .executable(name: "apictrace", targets: ["apictrace"]),
        .library(name: "TraceCore", targets: ["TraceCore"]),
    ],
    dependencies: [
        // Exactly: Package.resolved is not kept, and a later version is taken up on purpose.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"), system,
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    ],
    targets: [
        .executableTarget(name: "EmbedProbes", path: "Probes/embed", swiftSettings: swiftSettings),
        .plugin(
            name: "CompileProbes", capability: .buildTool(), dependencies: ["EmbedProbes"], path: "Probes/plugin"),
        .target(
            name: "Probes", path: "Probes",
            exclude: ["embed", "plugin", "probes.bpf.c"],
            swiftSettings: swiftSettings, plugins: ["CompileProbes"]),
        .target(name: "CBPF", linkerSettings: [.linkedLibrary("bpf"), .linkedLibrary("elf")]),
        .target(name: "CCompression", linkerSettings: [.linkedLibrary("z"), .linkedLibrary("zstd")]),
        .target(
            name: "TraceCore",
            dependencies: ["CCompression", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: swiftSettings + (isCoreOptimised ? [.unsafeFlags(["-O"])] : [])),
        // Apart from TraceCore: its files are embedded, and whoever reads recordings needs no page.
        .target(
            name: "ReportPage", dependencies: ["TraceCore"], exclude: ["Page/types.js"],
            resources: [.embedInCode("Page")], swiftSettings: swiftSettings),
        .executableTarget(
            name: "apictrace",
            dependencies: [
                "TraceCore", "CBPF", "Probes", "ReportPage",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "TraceCoreTests", dependencies: ["TraceCore", "AttackSuite"], exclude: ["Fixtures"],
            swiftSettings: swiftSettings),
        .target(
            name: "AttackSuite", dependencies: ["TraceCore"], path: "Tests/Attack/Suite", swiftSettings: swiftSettings),
        .executableTarget(
            name: "apictrace-attack", dependencies: ["AttackSuite", "TraceCore"], path: "Tests/Attack/Command",
            swiftSettings: swiftSettings),
        .executableTarget(name: "apictrace-guest", path: "Tests/Guest"),
        .executableTarget(
            name: "apictrace-damage", dependencies: ["TraceCore", "AttackSuite"], path: "Tests/Damage",
            exclude: ["run.sh"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "apictrace-fuzz", dependencies: ["TraceCore", "CCompression"], path: "Tests/Fuzz",
            exclude: ["kallsyms.dict", "text.dict", "run.sh"],
            swiftSettings: swiftSettings + (isFuzzed ? [.define("FUZZED")] : [])),
        .testTarget(
            name: "ApictraceTests", dependencies: ["CBPF", "ReportPage", "TraceCore", "apictrace", "apictrace-guest"],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)

if isFuzzed {
    package.products = []
    package.dependencies = [system]
    package.targets.removeAll { !["apictrace-fuzz", "TraceCore", "CCompression"].contains($0.name) }
}
