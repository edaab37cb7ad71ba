import Basics
import Measure
import Results
import Scenario
import Telemetry
import Testing

@Suite struct OverlayTests {
    private static func topology(_ nodes: String, overlay: String = "full-mesh") -> String {
        """
        {
          "name": "overlay",
          "nodes": { \(nodes), "isp": { "kind": "router" } },
          "links": [
            { "endpoints": ["hq:wan-a", "isp"], "delay": "2ms" },
            { "endpoints": ["north:wan-a", "isp"], "delay": "10ms" }
            \(nodes.contains("\"south\"") ? #", { "endpoints": ["south:wan-a", "isp"], "delay": "20ms" }"# : "")
          ],
          "overlay": { "tunnels": "\(overlay)" }
        }
        """
    }

    private static func calls(from: String, to: String, more: String = "") -> String {
        """
        {
          "name": "overlay", "topology": "topology.json", "duration": "12s", "warmup": "2s",
          "traffic": [
            { "name": "calls", "application": "voip", "from": "\(from)", "to": "\(to)", "flows": 2 }\(more)
          ],
          "expect": [
            { "metric": "traffic.calls.loss.max", "equals": 0 },
            { "metric": "invariants.violations", "equals": 0 }
          ]
        }
        """
    }

    @Test func `IPv6 networks are announced over an IPv4 session and reached through the overlay`() throws {
        let nodes = """
            "hq": { "kind": "patronus", "asn": 65001, "lan": ["2001:db8:1::/48"] },
            "north": { "kind": "patronus", "asn": 65002, "lan": ["2001:db8:2::/48"] },
            "server": { "kind": "host", "at": "hq" }, "laptop": { "kind": "host", "at": "north" }
            """
        let pages = #", { "name": "pages", "application": "web", "from": "laptop", "to": "server" }"#
        let world = try scenario(
            topology: Self.topology(nodes), Self.calls(from: "laptop", to: "server", more: pages))
        let run = try ScenarioRun(world)
        #expect(run.complaints == [])
        #expect(try run.metric("traffic.calls.loss.count") == 4)
        #expect(try run.metric("traffic.calls.latency.min") >= 12)
        #expect(try run.metric("traffic.pages.completionTime.count") >= 1)
        let laptop = try #require(world.topology.nodes.firstIndex { $0.name == "laptop" })
        let port = try #require(world.topology.ports(of: laptop).first)
        #expect(world.topology.end(port).ipv4 == nil)
    }

    @Test func `networks of both families go over one session`() throws {
        let nodes = """
            "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16", "2001:db8:1::/48"] },
            "north": { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16", "2001:db8:2::/48"] },
            "server": { "kind": "host", "at": "hq" }, "laptop": { "kind": "host", "at": "north" }
            """
        let run = try ScenarioRun(
            try scenario(topology: Self.topology(nodes), Self.calls(from: "laptop", to: "server")))
        #expect(run.complaints == [])
        #expect(run.establishedSessions == 2)
        #expect(run.prefixesLearned == [2, 2])
    }

    @Test func `spokes reach each other through the hub`() throws {
        let nodes = """
            "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "role": "hub" },
            "north": { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16"] },
            "south": { "kind": "patronus", "asn": 65003, "lan": ["10.3.0.0/16"] },
            "desk": { "kind": "host", "at": "north" }, "laptop": { "kind": "host", "at": "south" }
            """
        let calls = Self.calls(from: "laptop", to: "desk")
        let hub = try ScenarioRun(
            try scenario(topology: Self.topology(nodes, overlay: "hub-and-spoke"), calls))
        #expect(hub.complaints == [])
        #expect(hub.record.tunnels.map(\.name) == ["north:wan-a>hq:wan-a", "south:wan-a>hq:wan-a"])
        // South, provider, hub, provider, north: the hub's line of 2 ms is crossed twice.
        #expect(try (34..<34.5).contains(hub.metric("traffic.calls.latency.min")))
        #expect(try (34..<34.5).contains(hub.metric("traffic.calls.latency.max")))

        let mesh = try ScenarioRun(try scenario(topology: Self.topology(nodes), calls))
        #expect(mesh.complaints == [])
        #expect(mesh.record.tunnels.count == 3)
        #expect(try (30..<30.5).contains(mesh.metric("traffic.calls.latency.max")))
    }

    @Test func `two nodes of one autonomous system speak iBGP`() throws {
        let nodes = """
            "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"] },
            "north": { "kind": "patronus", "asn": 65001, "lan": ["10.2.0.0/16"] },
            "server": { "kind": "host", "at": "hq" }, "laptop": { "kind": "host", "at": "north" }
            """
        let run = try ScenarioRun(
            try scenario(topology: Self.topology(nodes), Self.calls(from: "laptop", to: "server")))
        #expect(run.complaints == [])
        #expect(run.establishedSessions == 2)
        #expect(run.prefixesLearned == [1, 1])
    }

    @Test func `three nodes of one autonomous system need no hub to learn of each other`() throws {
        let nodes = """
            "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"] },
            "north": { "kind": "patronus", "asn": 65001, "lan": ["10.2.0.0/16"] },
            "south": { "kind": "patronus", "asn": 65001, "lan": ["10.3.0.0/16"] },
            "desk": { "kind": "host", "at": "north" }, "laptop": { "kind": "host", "at": "south" }
            """
        let run = try ScenarioRun(
            try scenario(topology: Self.topology(nodes), Self.calls(from: "laptop", to: "desk")))
        #expect(run.complaints == [])
        #expect(run.establishedSessions == 6)
        #expect(try (30..<30.5).contains(run.metric("traffic.calls.latency.max")))
    }
}

extension ScenarioRun {
    /// How often a node said that a session is up.
    fileprivate var establishedSessions: Int {
        record.telemetry.count { entry in
            guard case .sessionState(_, .established) = entry.record else { return false }
            return true
        }
    }

    /// How many prefixes each node has learned, by node.
    fileprivate var prefixesLearned: [Int] {
        record.scenario.topology.nodes.indices
            .filter { record.scenario.topology.nodes[$0].kind == .patronus }
            .map { node in
                record.telemetry.reduce(into: 0) { count, entry in
                    guard entry.node == node, case .bestPathChanged(let prefixes) = entry.record else { return }
                    count += Int(prefixes)
                }
            }
    }
}
