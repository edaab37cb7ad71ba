import ArgumentParser
import Results
import Scenario

/// `patronus-sim lab graph`.
struct LabGraphCommand: ParsableCommand {
    /// What is written.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case svg
        case dot
    }

    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draws a topology, as SVG or for Graphviz, on standard output.")

    @Argument(help: ArgumentHelp("The topology, or a scenario that names one.", valueName: "topology"))
    var topology: String

    @Option(help: "svg or dot.")
    var format = Format.svg

    func run() throws {
        let drawing = TopologyDrawing(try RunnableTopology.load(topology).scenario.topology)
        Console.output(format == .svg ? drawing.svg : drawing.dot)
    }
}
