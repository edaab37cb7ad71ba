import Scenario
import ScenarioFiles

/// A small scenario and all that it names, of which the input takes the place of one file.
struct FileSet {
    private static let nodes = """
        "nodes": {
          "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "role": "hub" },
          "branch": { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16"] },
          "isp": { "kind": "router" },
          "server": { "kind": "host", "at": "hq" },
          "laptop": { "kind": "host", "at": "branch" }
        }
        """

    private static func topology(_ members: String = "", trace: String = "") -> String {
        """
        { "name": "small", \(members) \(nodes),
          "links": [
            { "endpoints": ["branch:wan-a", "isp"], "rate": "50Mbit", "delay": "12ms" \(trace) },
            { "endpoints": ["hq:wan-a", "isp"], "rate": "1Gbit", "delay": "3ms" }
          ],
          "overlay": { "tunnels": "full-mesh", "probeInterval": "100ms", "detectMultiplier": 3 } }
        """
    }

    private static func scenario(on topology: String) -> String {
        """
        { "name": "small", "topology": "\(topology)", "duration": "60s", "warmup": "10s",
          "traffic": [
            { "name": "calls", "application": "voip", "from": "laptop", "to": "server", "flows": 10, "start": "10s" }
          ] }
        """
    }

    private static let files: [(path: String, text: String)] = [
        ("scenario.json", scenario(on: "topology.json")), ("topology.json", topology()),
        ("scenario.yaml", scenario(on: "topology.json")),
        ("imported.json", scenario(on: "importing.json")),
        ("importing.json", topology("\"import\": { \"graphml\": \"graph.graphml\", \"kind\": \"router\" },")),
        ("traced.json", scenario(on: "tracing.json")),
        ("tracing.json", topology(trace: ", \"trace\": \"line.trace\"")),
        ("graph.graphml", "<graphml><graph/></graphml>"), ("line.trace", "1\n2\n"),
    ]

    /// Loads a scenario with that input in place of a file; one that loads is usable, one that is refused says why.
    func load(_ name: String, with bytes: RawSpan, in path: String) {
        let files = Self.files.map { file in
            InputFile(
                path: file.path, bytes: file.path == path ? InputReader(bytes).rest() : [UInt8](file.text.utf8))
        }
        do throws(Faults) {
            let topology = try ScenarioLoader(.memory(files)).load(name).scenario.topology
            _ = topology.tunnels()
            _ = UnderlayRoutes(topology, includingTransitLinks: true)
        } catch {
            precondition(!error.all.isEmpty)
        }
    }
}
