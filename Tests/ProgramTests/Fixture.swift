/// Two sites with two providers, small enough for runs of milliseconds.
enum Fixture {
    static let topology = """
        {
          "name": "two-sites",
          "nodes": {
            "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "role": "hub" },
            "branch": { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16"] },
            "isp-a": { "kind": "router" },
            "isp-b": { "kind": "router" },
            "server": { "kind": "host", "at": "hq" },
            "laptop": { "kind": "host", "at": "branch" }
          },
          "links": [
            { "endpoints": ["branch:wan-a", "isp-a"], "rate": "50Mbit", "delay": "12ms", "jitter": "1ms" },
            { "endpoints": ["branch:wan-b", "isp-b"], "rate": "20Mbit", "delay": "35ms", "loss": "1%" },
            { "endpoints": ["hq:wan-a", "isp-a"], "rate": "1Gbit", "delay": "3ms" },
            { "endpoints": ["hq:wan-b", "isp-b"], "rate": "1Gbit", "delay": "4ms" }
          ],
          "overlay": { "tunnels": "full-mesh", "encryption": "none", "probeInterval": "100ms" }
        }
        """

    static let blackout = """
        [ { "at": "2s", "link": "branch:wan-a--isp-a", "down": true, "for": "500ms" } ]
        """

    static let calls = """
        { "name": "calls", "application": "voip", "from": "laptop", "to": "server", "flows": 2, "start": "1s" }
        """

    /// A scenario of the topology in which a link fails for half a second.
    static func scenario(
        name: String = "blackout", duration: String = "3s", traffic: String = calls, events: String = blackout,
        expectations: String = #"{ "metric": "invariants.violations", "equals": 0 }"#
    ) -> String {
        """
        {
          "name": "\(name)",
          "topology": "topology.json",
          "seed": 42,
          "duration": "\(duration)",
          "warmup": "1s",
          "traffic": [ \(traffic) ],
          "events": \(events),
          "expect": [ \(expectations) ]
        }
        """
    }
}
