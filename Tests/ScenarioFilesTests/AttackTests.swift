import Basics
import Scenario
import ScenarioFiles
import Testing
import Wire

@Suite struct AttackTests {
    private static let topology = """
        {
          "name": "exposed",
          "nodes": {
            "hq": { "kind": "patronus", "lan": ["10.1.0.0/16"] },
            "shop": { "kind": "patronus", "lan": ["192.0.2.0/24"], "public": ["192.0.2.0/25"] },
            "isp": { "kind": "router" },
            "other": { "kind": "router" },
            "files": { "kind": "host", "at": "hq", "prefixes": ["10.1.8.0/22"] },
            "web": { "kind": "host", "at": "shop" },
            "crowd": { "kind": "host", "at": "isp", "prefixes": ["198.18.0.0/16", "2001:db8:5::/64"] },
            "attacker": { "kind": "host", "at": "isp" },
            "island": { "kind": "host", "at": "other" }
          },
          "links": [
            { "endpoints": ["hq:wan-a", "other"] },
            { "endpoints": ["hq:wan-b", "isp"] },
            { "endpoints": ["shop:wan-a", "isp"] }
          ]
        }
        """

    private func topology() throws -> Topology {
        let files = [InputFile(path: "exposed.json", bytes: Array(Self.topology.utf8))]
        return try ScenarioLoader(.memory(files)).loadTopology("exposed.json").topology
    }

    @Test func `a victim is attacked at an address to which a route leads`() throws {
        let topology = try topology()
        func target(_ from: String, _ to: String) throws -> String? {
            let attacker = try #require(topology.nodeIndex(named: from))
            let victim = try #require(topology.nodeIndex(named: to))
            return topology.attackRoute(from: attacker, to: victim)?.target.description
        }
        // Behind a node with private addresses: the node, at the port that the attacker's provider serves.
        #expect(try target("attacker", "files") == "100.64.0.2")
        #expect(try target("attacker", "hq") == "100.64.0.2")
        #expect(try target("island", "hq") == "100.64.0.0")
        // With public ones the host itself, but not from where no route leads to it.
        #expect(try target("attacker", "web") == "192.0.2.10")
        #expect(try target("attacker", "shop") == "100.64.0.4")
        #expect(try target("island", "web") == nil)
        #expect(try target("attacker", "crowd") == "100.64.0.6")
        #expect(try target("attacker", "island") == nil)
        // From a LAN: by the overlay to other LANs, to the own node at its LAN address, and nowhere else.
        #expect(try target("files", "web") == "192.0.2.10")
        #expect(try target("files", "shop") == "192.0.2.1")
        #expect(try target("files", "hq") == "10.1.0.1")
        #expect(try target("files", "crowd") == nil)
    }

    @Test func `routers know the public part of a LAN and a host's further addresses`() throws {
        let topology = try topology()
        let isp = try #require(topology.nodeIndex(named: "isp"))
        let routes = UnderlayRoutes(topology).routes[isp]
        func port(_ prefix: String) -> String? {
            routes.first { $0.prefix.description == prefix }.map { topology.links[$0.port.link].name }
        }
        #expect(port("192.0.2.0/25") == "shop:wan-a--isp")
        #expect(port("192.0.2.0/24") == nil)
        #expect(port("198.18.0.0/16") == "crowd:eth0--isp:eth2")
        #expect(port("2001:db8:5::/64") == "crowd:eth0--isp:eth2")
        #expect(!routes.contains { $0.prefix.description.hasPrefix("10.1.") })
    }

    @Test func `an attack's keys are read, and what is left out has a standard`() throws {
        func attack(_ keys: String) throws -> Attack? {
            let scenario = Example.scenario.replacing(
                "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"",
                with: "\"from\": \"laptop\", \"to\": \"server\", \(keys)")
            let loaded = try ScenarioLoader(Example.files(scenario: scenario)).load("small.json")
            guard case .attack(let attack) = loaded.scenario.events[0].kind else { return nil }
            return attack
        }
        let full = try attack(
            "\"attack\": \"dns-amplification\", \"rate\": \"80Mbit\", \"sources\": 50, \"for\": \"3s\"")
        #expect(full?.kind == .dnsAmplification)
        #expect(full?.rate == .bits(.megabits(80)))
        #expect(full?.sources == 50)
        #expect(full?.lasting == .seconds(3))
        let bare = try attack("\"attack\": \"icmp-flood\"")
        #expect(bare?.rate == .packets(PacketRate(packetsPerSecond: 10_000)))
        #expect(bare?.sources == nil && bare?.lasting == nil)
    }

    @Test func `flows' starts are spread over the time that the traffic names`() throws {
        let scenario = Example.scenario.replacing("\"start\": \"10s\"", with: "\"start\": \"10s\", \"over\": \"5s\"")
        let entry = try ScenarioLoader(Example.files(scenario: scenario)).load("small.json").scenario.traffic[0]
        #expect(entry.over == .seconds(5))
        for (flow, start) in [(0, 10_000), (1, 10_500), (9, 14_500)] as [(Int, Int64)] {
            #expect(entry.start(ofFlow: flow) == .milliseconds(start))
        }
    }

    @Test func `an attack on whom no route leads to is refused in the scenario's words`() throws {
        let scenario = """
            {
              "topology": "exposed.json", "duration": "10s",
              "events": [ { "at": "1s", "attack": "syn-flood", "from": "island", "to": "web" } ]
            }
            """
        let files = [
            InputFile(path: "exposed.json", bytes: Array(Self.topology.utf8)),
            InputFile(path: "a.json", bytes: Array(scenario.utf8)),
        ]
        #expect(
            ScenarioLoader(.memory(files)).faults("a.json").map(\.description) == [
                "a.json:3:76: events[0].to: no route leads from \"island\" to \"web\"; name a victim that it can reach"
            ])
    }
}
