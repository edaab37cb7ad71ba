import Foundation
import PackagePlugin

/// Compiles `bpf/` before the target that carries the program, whenever a file there has changed.
@main
struct CompileDataplane: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let root = context.package.directoryURL
        let sources = root.appending(path: "bpf")
        let script = root.appending(path: "scripts/compile-dataplane")
        let names = try FileManager.default.contentsOfDirectory(atPath: sources.path(percentEncoded: false)).sorted()
        let inputs = names.filter { $0.hasSuffix(".c") || $0.hasSuffix(".h") }.map { sources.appending(path: $0) }
        let output = context.pluginWorkDirectoryURL.appending(path: "EncodedObject.swift")
        return [
            .buildCommand(
                displayName: "Compiling the data plane",
                executable: URL(filePath: "/bin/sh"),
                arguments: [script, sources, output].map { $0.path(percentEncoded: false) },
                inputFiles: inputs + [script],
                outputFiles: [output])
        ]
    }
}
