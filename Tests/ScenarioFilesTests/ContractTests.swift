import Basics
import Scenario
import ScenarioFiles
import Testing
import Wire

/// The examples of the formats' own page, read as they stand.
@Suite struct ContractTests {
    private static let topology = """
        {
          "name": "dual-isp-branch",
          "nodes": {
            "hq":      { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "role": "hub" },
            "branch":  { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16"] },
            "isp-a":   { "kind": "router" },
            "isp-b":   { "kind": "router", "asn": 64602 },
            "aws":     { "kind": "aws-transit-gateway", "region": "us-east-1", "asn": 64512, \
            "prefixes": ["172.31.0.0/16"] },
            "server":  { "kind": "host", "at": "hq" },
            "laptop":  { "kind": "host", "at": "branch" },
            "internet":{ "kind": "host", "at": "isp-a" },
            "frr":     { "kind": "linux", "exec": ["bgpd -f /etc/frr/bgpd.conf"] }
          },
          "links": [
            { "endpoints": ["branch:wan-a", "isp-a"], "rate": "50Mbit", "delay": "12ms", "jitter": "1ms", \
            "loss": "0.1%", "queue": "100ms", "costPerGB": 0.02 },
            { "endpoints": ["branch:wan-b", "isp-b"], "rate": "20Mbit", "delay": "35ms", \
            "trace": "../shared/lte.down" },
            { "endpoints": ["hq:wan-a", "isp-a"], "rate": "1Gbit", "delay": "3ms" },
            { "endpoints": ["hq:wan-b", "isp-b"], "rate": "1Gbit", "delay": "4ms" }
          ],
          "overlay": { "tunnels": "full-mesh", "encryption": "wireguard", "probeInterval": "100ms", \
          "detectMultiplier": 3 },
          "slaClasses": [ { "name": "voice", "latency": "150ms", "jitter": "30ms", "loss": "1%" } ],
          "steering": [ { "name": "voice-first", "match": { "application": "voip" }, "sla": "voice", \
          "prefer": ["wan-a"], "priority": 200 } ]
        }
        """

    private static let scenario = """
        {
          "name": "branch-brownout",
          "description": "wan-a slowly degrades, then fails; voice must not notice",
          "topology": "../topologies/dual-isp-branch.json",
          "seed": 42,
          "duration": "120s",
          "warmup": "10s",
          "traffic": [
            { "name": "calls", "application": "voip", "from": "laptop", "to": "server", "flows": 10, "start": "10s" },
            { "name": "backup", "application": "fileTransfer", "from": "laptop", "to": "server", "bytes": "200MB", \
            "start": "20s" }
          ],
          "events": [
            { "at": "40s", "link": "branch:wan-a--isp-a", "set": { "delay": "180ms", "loss": "8%" }, "over": "20s" },
            { "at": "70s", "link": "branch:wan-a--isp-a", "down": true, "for": "15s" },
            { "at": "105s", "node": "hq", "restart": true, "after": "2s" }
          ],
          "expect": [
            { "metric": "failover.outage.max", "below": "300ms" },
            { "metric": "traffic.calls.mos.p5", "atLeast": 3.6 },
            { "metric": "anomaly.recall", "atLeast": 0.95 },
            { "metric": "invariants.violations", "equals": 0 }
          ],
          "record": { "pcap": ["branch:wan-a--isp-a"], "interval": "100ms" }
        }
        """

    private static let attack = """
            { "at": "90s", "attack": "syn-flood", "from": "internet", "to": "server", "rate": "20kpps", "for": "10s" },
            { "at": "105s"
        """

    private func files(_ scenario: String) -> FileSource {
        .memory([
            InputFile(path: "scenarios/a.json", bytes: Array(scenario.utf8)),
            InputFile(path: "topologies/dual-isp-branch.json", bytes: Array(Self.topology.utf8)),
            InputFile(path: "shared/lte.down", bytes: Array("3\n10\n10\n".utf8)),
        ])
    }

    @Test func `the page's topology and scenario are read, with warnings for what is to come`() throws {
        let loaded = try ScenarioLoader(files(Self.scenario)).load("scenarios/./a.json")
        let scenario = loaded.scenario
        #expect(scenario.seed == 42)
        #expect(scenario.topology.nodes.map(\.name)[4] == "aws")
        #expect(scenario.topology.nodes[2].attachment == nil)
        #expect(scenario.topology.links[0].forward.loss == .independent(Ratio(0.001)))
        #expect(scenario.topology.links[1].reverse.trace?.opportunities == [3, 10, 10])
        #expect(
            scenario.topology.tunnels().map(\.name) == ["branch:wan-a>hq:wan-a", "branch:wan-b>hq:wan-b"])
        #expect(scenario.topology.overlay.encryption == .wireguard)
        #expect(scenario.traffic[1].application == .fileTransfer(bytes: ByteCount(200_000_000)))
        #expect(scenario.events[0].end == .seconds(60))
        #expect(scenario.events[2].kind == .nodeRestart(node: 0, after: .seconds(2)))
        #expect(scenario.expectations[0].condition == .below(300))
        #expect(scenario.expectations[2].condition == .atLeast(0.95))
        #expect(scenario.record.capturedLinks == [0])
        #expect(loaded.warnings.map(\.path) == ["nodes.isp-b", "nodes.aws", "nodes.frr", "overlay.encryption"])
    }

    @Test func `the page's flood is read, and what is more than a flood refused in this version`() throws {
        let text = Self.scenario.replacing("    { \"at\": \"105s\"", with: Self.attack)
        let scenario = try ScenarioLoader(files(text)).load("scenarios/a.json").scenario
        let event = scenario.events[2]
        let attacker = try #require(scenario.topology.nodeIndex(named: "internet"))
        let victim = try #require(scenario.topology.nodeIndex(named: "server"))
        #expect(
            event.kind
                == .attack(
                    Attack(
                        kind: .synFlood, from: attacker, to: victim,
                        rate: .packets(PacketRate(packetsPerSecond: 20_000)), lasting: .seconds(10))))
        #expect(event.label == "syn-flood from internet to server")
        #expect(event.end == .seconds(100))
        let floods = ["syn-flood", "udp-flood", "icmp-flood", "dns-amplification"]
        for kind in AttackKind.allCases {
            let faults = ScenarioLoader(files(text.replacing("syn-flood", with: kind.rawValue)))
                .faults("scenarios/a.json")
            let refusal =
                "scenarios/a.json:15:5: events[2]: attack \"\(kind.rawValue)\" is not available in this version; "
                + "leave it out"
            #expect(faults.map(\.description) == (floods.contains(kind.rawValue) ? [] : [refusal]))
        }
    }

    @Test func `bursts, reverse directions, flaps and queues of every kind are read`() throws {
        let topology = Example.topology.replacing(
            "\"delay\": \"12ms\"",
            with: """
                "delay": "12ms", "loss": { "model": "gilbert-elliott", "p": "1%", "r": "20%", "lossBad": "50%" },
                "queue": "100p", "mtu": 1400, "jitterDistribution": "pareto", "discipline": "codel",
                "addresses": ["192.0.2.1", "192.0.2.2", "2001:db8::1/64", "2001:db8::2/64"], "trace": "good.trace",
                "reverse": { "queue": "64kB", "loss": 0.25, "rate": "2.5Mbit" }
                """)
        let scenario = Example.scenario.replacing(
            "\"down\": true, \"for\": \"5s\"",
            with: "\"direction\": \"reverse\", \"flap\": { \"up\": \"2s\", \"down\": \"500ms\", \"for\": \"30s\" }")
        let loaded = try ScenarioLoader(Example.files(topology: topology, scenario: scenario)).load("small.json")
        let link = loaded.scenario.topology.links[0]
        #expect(
            link.forward.loss == .gilbertElliott(p: Ratio(0.01), r: Ratio(0.2), lossBad: Ratio(0.5), lossGood: .zero))
        #expect(link.forward.queue == .packets(100))
        #expect(link.forward.maximumTransmissionUnit == 1_400)
        #expect(link.reverse.queue == .size(ByteCount(64_000)))
        #expect(link.reverse.loss == .independent(Ratio(0.25)))
        #expect(link.reverse.rate == BitRate(bitsPerSecond: 2_500_000))
        #expect(link.reverse.discipline == .codel)
        #expect(link.first.addresses.map(\.description) == ["192.0.2.1/30", "2001:db8::1/64"])
        #expect(link.second.ipv4 == IPv4Address(192, 0, 2, 2))
        #expect(
            loaded.scenario.events[0].kind
                == .linkFlap(
                    link: 0, directions: .reverse, up: .seconds(2), down: .milliseconds(500), lasting: .seconds(30)))
        #expect(loaded.scenario.events[0].end == .seconds(50))
    }

    @Test func `quantities mean what tc and ping mean`() throws {
        let cases: [(String, Interval)] = [
            ("\"250us\"", .microseconds(250)), ("\"1.5s\"", .milliseconds(1_500)), ("\"5m\"", .seconds(300)),
            ("0", .zero),
            ("\"0\"", .zero), ("\"1ns\"", .nanoseconds(1)),
        ]
        for (text, expected) in cases {
            let topology = Example.topology.replacing("\"12ms\"", with: text)
            let loaded = try ScenarioLoader(Example.files(topology: topology)).loadTopology("small-topology.json")
            #expect(loaded.topology.links[0].forward.delay == expected, "\(text)")
        }
    }

    @Test func `what a file leaves out has these defaults`() throws {
        let topology = """
            { "nodes": { "a": { "kind": "router" }, "b": { "kind": "router" },
              "x": { "kind": "host", "at": "a" }, "y": { "kind": "host", "at": "b" } },
              "links": [ { "endpoints": ["a", "b"] } ] }
            """
        let scenario = """
            { "topology": "small-topology.json", "duration": "10s", "warmup": "2s", "traffic": [
              { "application": "web", "from": "x", "to": "y" },
              { "application": "web", "from": "y", "to": "x" },
              { "application": "cbr", "rate": "1Mbit", "from": "x", "to": "y" } ] }
            """
        let loaded = try ScenarioLoader(Example.files(topology: topology, scenario: scenario)).load("small.json")
            .scenario
        #expect(loaded.name == "small")
        #expect(loaded.seed == 1)
        #expect(loaded.record == RecordSettings(capturedLinks: [], interval: .milliseconds(100)))
        #expect(loaded.traffic.map(\.name) == ["web", "web-2", "cbr"])
        #expect(loaded.traffic.allSatisfy { $0.start == .seconds(2) && $0.flows == 1 && $0.stop == nil })
        #expect(
            loaded.traffic[2].application
                == .constantRate(rate: .megabits(1), packetSize: ByteCount(1_200)))
        #expect(loaded.topology.name == "small-topology")
        #expect(loaded.topology.overlay == OverlayConfiguration())
        #expect(loaded.topology.links.map(\.name) == ["a--b", "x:eth0--a:eth1", "y:eth0--b:eth1"])
        #expect(loaded.topology.linkIndex(named: "a:eth0--b:eth0") == 0)
        #expect(loaded.topology.linkIndex(named: "x--a") == 1)
        #expect(loaded.topology.links[1].first.addresses.map(\.description) == ["100.64.0.2/31", "fd64:0:0:2::/127"])
    }
}
