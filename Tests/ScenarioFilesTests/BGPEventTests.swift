import Basics
import Scenario
import ScenarioFiles
import Testing
import Wire

/// What happens to BGP, as files say it.
@Suite struct BGPEventTests {
    private static let topology = """
        {
          "name": "star",
          "nodes": {
            "hub": { "kind": "patronus", "lan": ["10.1.0.0/16"], "role": "hub" },
            "left": { "kind": "patronus", "lan": ["10.2.0.0/16", "fd02::/48"] },
            "right": { "kind": "patronus", "lan": ["10.3.0.0/16"] },
            "isp": { "kind": "router" }
          },
          "links": [
            { "endpoints": ["hub:wan-a", "isp"] },
            { "endpoints": ["left:wan-a", "isp"] },
            { "endpoints": ["right:wan-a", "isp"] }
          ],
          "overlay": { "tunnels": "hub-and-spoke" }
        }
        """

    private func loader(_ events: String) -> ScenarioLoader {
        let text = """
            {
              "topology": "star.json", "duration": "60s",
              "events": [
            \(events)
              ]
            }
            """
        return ScenarioLoader(
            .memory([
                InputFile(path: "a.json", bytes: Array(text.utf8)),
                InputFile(path: "star.json", bytes: Array(Self.topology.utf8)),
            ]))
    }

    private func faults(_ events: String) -> [String] { loader(events).faults("a.json").map(\.description) }

    @Test func `sessions, announcements and withdrawals are read, with names of their own`() throws {
        let events = try loader(
            """
            { "at": "10s", "bgp": { "session": ["left", "hub"], "reset": true } },
            { "at": "20s", "bgp": { "node": "right", "announce": ["10.2.0.0/17", "2001:db8::/32"] }, "for": "5s" },
            { "at": "30s", "bgp": { "node": "right",
                                    "announce": { "count": 20000, "from": "20.0.0.0/8", "length": 24 } } },
            { "at": "40s", "bgp": { "node": "right", "withdraw": { "count": 2, "from": "20.0.4.0/23" } } },
            { "at": "50s", "bgp": { "node": "left", "withdraw": ["fd02::/48"] }, "for": "2s", "label": "maintenance" }
            """
        ).load("a.json").scenario.events
        let prefixes = try ["10.2.0.0/17", "2001:db8::/32", "fd02::/48"].map {
            PrefixSeries(try #require(IPPrefix($0)))
        }
        let table = try #require(PrefixSeries("20.0.0.0/24 +20000"))
        let part = try #require(PrefixSeries("20.0.4.0/24 +2"))
        #expect(
            events.map(\.kind) == [
                .bgp(.sessionReset(NodePair(1, 0))),
                .bgp(.announce(node: 2, prefixes: Array(prefixes[..<2]), lasting: .seconds(5))),
                .bgp(.announce(node: 2, prefixes: [table], lasting: nil)),
                .bgp(.withdraw(node: 2, prefixes: [part], lasting: nil)),
                .bgp(.withdraw(node: 1, prefixes: [prefixes[2]], lasting: .seconds(2))),
            ])
        #expect(
            events.map(\.label) == [
                "session of left and hub reset", "right announces 10.2.0.0/17 and 1 more",
                "right announces 20000 prefixes from 20.0.0.0/24 on",
                "right withdraws 2 prefixes from 20.0.4.0/24 on", "maintenance",
            ])
        #expect(events.map(\.end) == [nil, .seconds(25), nil, nil, .seconds(52)])
    }

    @Test func `there is a session where there are tunnels, and nowhere else`() {
        #expect(
            faults("{ \"at\": \"10s\", \"bgp\": { \"session\": [\"left\", \"right\"], \"reset\": true } }") == [
                "a.json:4:36: events[0].bgp.session: \"left\" and \"right\" have no session; known are \"hub\""
            ])
    }

    @Test func `what is withdrawn has been announced by then, by that node`() {
        let announced = "{ \"at\": \"20s\", \"bgp\": { \"node\": \"right\", \"announce\": [\"10.9.0.0/16\"] } }"
        func withdrawn(_ node: String, _ at: String) -> String {
            "{ \"at\": \"\(at)\", \"bgp\": { \"node\": \"\(node)\", \"withdraw\": [\"10.9.0.0/16\"] } }"
        }
        #expect(faults("\(withdrawn("right", "21s")), \(announced)") == [])
        #expect(faults("\(announced), \(withdrawn("right", "20s"))") == [])
        for (node, at) in [("right", "19s"), ("left", "21s")] {
            #expect(
                faults("\(announced),\n\(withdrawn(node, at))") == [
                    "a.json:5:\(node == "left" ? 53 : 54): events[1].bgp.withdraw: \"\(node)\" does not announce"
                        + " 10.9.0.0/16 at \(at); withdraw one of its LANs, or what an earlier event has it announce"
                ])
        }
        let passing = announced.dropLast() + ", \"for\": \"5s\" }"
        #expect(faults("\(passing), \(withdrawn("right", "24s"))") == [])
        #expect(
            faults("\(passing),\n\(withdrawn("right", "25s"))") == [
                "a.json:5:54: events[1].bgp.withdraw: \"right\" does not announce 10.9.0.0/16 at 25s; withdraw one of"
                    + " its LANs, or what an earlier event has it announce"
            ])
    }
}
