// SPDX-License-Identifier: Apache-2.0
import PackagePlugin

/// Compiles the BPF probes with the toolchain's own clang and embeds the object in the `Probes` target.
@main
struct CompileProbes: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let target = target as? any SourceModuleTarget else { return [] }
        let source = target.directoryURL.appending(path: "probes.bpf.c")
        let headers = target.sourceFiles.map(\.url).filter { $0.pathExtension == "h" }
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
