// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import PackagePlugin

/// Compiles the BPF probes with the toolchain's own clang and embeds the object in the `Probes` target.
@main
struct CompileProbes: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let target = target as? any SourceModuleTarget else { return [] }
        let source = target.directoryURL.appending(path: "probes.bpf.c")
        // A target's list of sources has no headers, and what is no input doesn't rebuild.
        let directory = target.directoryURL
        let headers = try FileManager.default.contentsOfDirectory(atPath: directory.path(percentEncoded: false))
            .filter { $0.hasSuffix(".h") }.sorted().map { directory.appending(path: $0) }
        let output = context.pluginWorkDirectoryURL.appending(path: "ProbeWords.swift")
        return [
            .buildCommand(
                displayName: "Compiling probes",
                executable: try context.tool(named: "EmbedProbes").url,
                arguments: [
                    try context.tool(named: "clang").url.path(percentEncoded: false),
                    try context.tool(named: "llvm-objcopy").url.path(percentEncoded: false),
                    source.path(percentEncoded: false), output.path(percentEncoded: false),
                ],
                inputFiles: [source] + headers,
                outputFiles: [output])
        ]
    }
}
