import Basics
import Foundation
import Scenario
import ScenarioFiles
import Testing

@Suite struct GraphMLTests {
    private func topology(importing bytes: [UInt8], _ more: String = "") throws(Faults) -> Topology {
        let text = "{ \"import\": { \"graphml\": \"g.graphml\"\(more) } }"
        let files = [InputFile(path: "t.json", bytes: Array(text.utf8)), InputFile(path: "g.graphml", bytes: bytes)]
        return try ScenarioLoader(.memory(files)).loadTopology("t.json").topology
    }

    @Test func `labels become names, distances become delays, edges beside each other stay two`() throws {
        let topology = try topology(importing: Array(Example.graph.utf8), ", \"rate\": \"1Gbit\"")
        #expect(topology.nodes.map(\.name) == ["zurich-hb", "geneve", "geneve-2"])
        #expect(topology.nodes.allSatisfy { $0.kind == .router })
        #expect(topology.links.map(\.name) == ["zurich-hb--geneve", "zurich-hb--geneve-2", "geneve--geneve-2"])
        // 224.5 km between the two cities.
        #expect(topology.links[0].forward.delay == .microseconds(1_122))
        #expect(topology.links[2].forward.delay == nil)
        #expect(topology.links[2].forward.rate == .gigabits(1))
    }

    @Test func `an edge back in a directed graph is the same link`() throws {
        let graph = Example.graph.replacing("\"undirected\"", with: "\"directed\"")
            .replacing("<edge source=\"1\" target=\"2\"/>", with: "<edge source=\"1\" target=\"0\"/>")
            .replacing("<edge source=\"2\" target=\"2\"/>", with: "<edge source=\"1\" target=\"2\"/>")
        let topology = try topology(importing: Array(graph.utf8))
        #expect(topology.links.map(\.name) == ["zurich-hb--geneve", "zurich-hb--geneve-2", "geneve--geneve-2"])
    }

    @Test func `a document type is refused`() throws {
        let graph = "<!DOCTYPE graphml [<!ENTITY a \"aaaa\">]>" + Example.graph
        #expect(throws: Faults.self) { try topology(importing: Array(graph.utf8)) }
    }

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: sharedFolder.appending(path: "data/topologies").path),
            "the Topology Zoo's files are not beside the project"))
    func `graphs of the Topology Zoo are read with all their nodes`() throws {
        let folder = sharedFolder.appending(path: "data/topologies")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".graphml") }
        #expect(names.count >= 20)
        for name in names.sorted() {
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
            let topology = try topology(importing: bytes)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(topology.nodes.count == text.components(separatedBy: "<node id=").count - 1, "\(name)")
            #expect(!topology.links.isEmpty, "\(name)")
            #expect(Set(topology.nodes.map(\.name)).count == topology.nodes.count, "\(name)")
            #expect(Set(topology.links.map(\.name)).count == topology.links.count, "\(name)")
            #expect(topology.links.allSatisfy { ($0.forward.delay ?? .zero) < .milliseconds(100) }, "\(name)")
        }
    }
}
