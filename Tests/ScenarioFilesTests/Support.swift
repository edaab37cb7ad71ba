import Foundation
import Scenario
import ScenarioFiles

/// The project's folder.
let projectFolder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The folder of data that is read where it lies, beside the project.
let sharedFolder = projectFolder.deletingLastPathComponent().appending(path: "shared")

func octets(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: projectFolder.appending(path: path)))
}

/// The files of a folder of the project with that ending, by name.
func fileNames(in folder: String, ending: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: projectFolder.appending(path: folder).path)
    return names.filter { $0.hasSuffix(ending) }.sorted().map { "\(folder)/\($0)" }
}

/// Shipped files as a loader's memory, under their paths inside the project.
func shippedFiles() throws -> [InputFile] {
    var paths = try fileNames(in: "topologies", ending: ".json") + fileNames(in: "scenarios", ending: ".json")
    paths += try fileNames(in: "topologies", ending: ".graphml")
    paths += try fileNames(in: "topologies/traces", ending: ".up") + fileNames(in: "topologies/traces", ending: ".down")
    paths += try fileNames(in: "scenarios/captures", ending: ".pcap")
    return try paths.map { InputFile(path: $0, bytes: try octets($0)) }
}

/// A small topology and a small scenario on it, which tests change in one place.
enum Example {
    static let topology = """
        {
          "name": "small",
          "nodes": {
            "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "role": "hub" },
            "branch": { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16"] },
            "isp": { "kind": "router" },
            "server": { "kind": "host", "at": "hq" },
            "laptop": { "kind": "host", "at": "branch" }
          },
          "links": [
            { "endpoints": ["branch:wan-a", "isp"], "rate": "50Mbit", "delay": "12ms" },
            { "endpoints": ["hq:wan-a", "isp"], "rate": "1Gbit", "delay": "3ms" }
          ],
          "overlay": { "tunnels": "full-mesh", "probeInterval": "100ms", "detectMultiplier": 3 },
          "slaClasses": [ { "name": "voice", "latency": "150ms" } ],
          "steering": [ { "name": "voice-first", "match": { "application": "voip" }, "sla": "voice", \
          "prefer": ["wan-a"] } ]
        }
        """

    static let scenario = """
        {
          "name": "small",
          "topology": "small-topology.json",
          "duration": "60s",
          "warmup": "10s",
          "traffic": [
            { "name": "calls", "application": "voip", "from": "laptop", "to": "server", "flows": 10, "start": "10s" }
          ],
          "events": [
            { "at": "20s", "link": "branch:wan-a--isp", "down": true, "for": "5s" }
          ],
          "expect": [
            { "metric": "failover.outage.max", "below": "300ms" }
          ],
          "record": { "pcap": ["branch:wan-a--isp"], "interval": "100ms" }
        }
        """

    static func files(topology: String = Self.topology, scenario: String = Self.scenario) -> FileSource {
        .memory([
            InputFile(path: "small.json", bytes: Array(scenario.utf8)),
            InputFile(path: "small-topology.json", bytes: Array(topology.utf8)),
            InputFile(path: "good.trace", bytes: Array("1\n2\n2\n9\n".utf8)),
            InputFile(path: "bad.trace", bytes: Array("1\n5\n3\nx\n\n7".utf8)),
            InputFile(path: "zero.trace", bytes: Array("0\n0\n".utf8)),
            InputFile(path: "graph.graphml", bytes: Array(graph.utf8)),
            InputFile(path: "bad.graphml", bytes: Array(graph.replacing("target=\"1\"", with: "target=\"7\"").utf8)),
            InputFile(path: "broken.graphml", bytes: Array(graph.replacing("</graph>", with: "").utf8)),
            InputFile(path: "svg.graphml", bytes: Array("<svg></svg>".utf8)),
        ])
    }

    static let graph = """
        <graphml>
          <key attr.name="label" for="node" id="d1"/>
          <key attr.name="Latitude" for="node" id="d2"/>
          <key attr.name="Longitude" for="node" id="d3"/>
          <graph edgedefault="undirected">
            <node id="0"><data key="d1">Zürich HB</data><data key="d2">47.3769</data><data key="d3">8.5417</data>\
            </node>
            <node id="1"><data key="d1">Genève</data><data key="d2">46.2044</data><data key="d3">6.1432</data></node>
            <node id="2"><data key="d1">Genève</data></node>
            <edge source="0" target="1"/>
            <edge source="0" target="1"/>
            <edge source="1" target="2"/>
            <edge source="2" target="2"/>
          </graph>
        </graphml>
        """
}

extension ScenarioLoader {
    /// The scenario's faults, or none.
    func faults(_ path: String) -> [Fault] {
        do throws(Faults) {
            _ = try load(path)
            return []
        } catch {
            return error.all
        }
    }
}
