import Foundation
import Scenario
import ScenarioFiles
import TestKit
import Testing

/// One change to a file that fits, and so what must be said.
private struct Spoiling {
    var text: String
    var replacement: String

    init(_ text: String, _ replacement: String) {
        self.text = text
        self.replacement = replacement
    }
}

/// The example's event with other keys in the place of its own.
private func bgpSpoiling(_ keys: String) -> Spoiling {
    Spoiling("\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"", keys)
}

private let topologySpoilings: [Spoiling] = [
    Spoiling("\"rate\": \"50Mbit\"", "\"rte\": \"50Mbit\""),
    Spoiling("\"links\":", "\"lnks\":"),
    Spoiling("\"rate\": \"50Mbit\"", "\"rate\": 50"),
    Spoiling("\"50Mbit\"", "\"50Mbps\""),
    Spoiling("\"50Mbit\"", "\"0bit\""),
    Spoiling("\"12ms\"", "12"),
    Spoiling("\"12ms\"", "\"2h\""),
    Spoiling("\"12ms\"", "[\"12ms\"]"),
    Spoiling("\"12ms\"", "\"12ms\", \"loss\": \"101%\""),
    Spoiling("\"12ms\"", "\"12ms\", \"loss\": 1.5"),
    Spoiling("\"12ms\"", "\"12ms\", \"loss\": { \"model\": \"gilbert\", \"p\": \"1%\" }"),
    Spoiling("\"12ms\"", "\"12ms\", \"queue\": \"100\""),
    Spoiling("\"12ms\"", "\"12ms\", \"queue\": \"0p\""),
    Spoiling("\"12ms\"", "\"12ms\", \"discipline\": \"fq_codle\""),
    Spoiling("\"12ms\"", "\"12ms\", \"mtu\": 100"),
    Spoiling("\"12ms\"", "\"12ms\", \"reverse\": { \"endpoints\": [] }"),
    Spoiling("\"12ms\"", "\"12ms\", \"trace\": \"bad.trace\""),
    Spoiling("\"12ms\"", "\"12ms\", \"trace\": \"zero.trace\""),
    Spoiling("\"12ms\"", "\"12ms\", \"trace\": \"no.trace\""),
    Spoiling("\"12ms\"", "\"12ms\", \"addresses\": [\"192.0.2.1\"]"),
    Spoiling("\"12ms\"", "\"12ms\", \"addresses\": [\"192.0.2.0/31\", \"192.0.2.2/31\"]"),
    Spoiling("\"12ms\"", "\"12ms\", \"addresses\": [\"10.2.0.4\", \"10.2.0.5\"]"),
    Spoiling("\"12ms\"", "\"12ms\", \"addresses\": [\"100.64.0.2\", \"100.64.0.3\"]"),
    Spoiling("[\"branch:wan-a\", \"isp\"]", "[\"branch:wan-a\", \"ips\"]"),
    Spoiling("[\"branch:wan-a\", \"isp\"]", "[\"branch:wan-a\", \"branch\"]"),
    Spoiling("[\"branch:wan-a\", \"isp\"]", "[\"branch:wan-a\"]"),
    Spoiling("[\"branch:wan-a\", \"isp\"]", "[\"branch:wan:a\", \"isp\"]"),
    Spoiling("[\"branch:wan-a\", \"isp\"]", "[\"laptop\", \"branch:lan\"]"),
    Spoiling("[\"hq:wan-a\", \"isp\"]", "[\"branch:wan-a\", \"isp\"]"),
    Spoiling("\"asn\": 65002", "\"asn\": 23456"),
    Spoiling("\"asn\": 65002", "\"asn\": \"65002\""),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": { }, \"bgpp\": 1"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": { \"neighbors\": [{ \"address\": \"192.0.2.1\" }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": { \"neighbors\": [{ \"node\": \"isp\" }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"neighbors\": [{ \"node\": \"isp\", \"address\": \"192.0.2.1\" }, { \"asn\": 65100 }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"neighbors\": [{ \"node\": \"isp\", \"asn\": 65100, \"routeMapIn\": \"al\", \"routeMapOut\": "
            + "\"all\" }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"neighbors\": [{ \"node\": \"isp\", \"asn\": 65100, \"timers\": { \"holdtime\": \"2s\" }, "
            + "\"families\": [\"ipv5\"] }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"neighbors\": [{ \"node\": \"isp\", \"asn\": 65100, \"routeMapIn\": \"all\", "
            + "\"routeMapOut\": \"all\", \"damping\": { \"suppress\": 700 } }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"neighbors\": [{ \"node\": \"isp\", \"asn\": 65100, \"ttlSecurity\": 255, \"password\": \"\" "
            + "}] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"networks\": [\"10.9.0.1/16\"], \"origins\": [{ \"prefix\": \"10.9.0.0/16\", "
            + "\"maximumLength\": 8 }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"prefixLists\": [{ \"name\": \"p\", \"entries\": [{ \"action\": \"allow\", \"prefix\": "
            + "\"10.0.0.0/8\" }] }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"prefixLists\": [{ \"name\": \"p\", \"entries\": [{ \"action\": \"deny\", \"prefix\": "
            + "\"10.0.0.0/8\", \"atMost\": 7 }] }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"communityLists\": [{ \"name\": \"c\", \"entries\": [{ \"action\": \"permit\", \"community\": "
            + "\"70000:1\" }] }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"routeMaps\": [{ \"name\": \"m\", \"rules\": [{ \"action\": \"permit\" }, { \"sequence\": -1, "
            + "\"action\": \"permit\" }] }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"routeMaps\": [{ \"name\": \"m\", \"rules\": [{ \"sequence\": 1, \"action\": \"permit\", "
            + "\"match\": { \"asPath\": \"x\", \"prefixList\": \"q\" } }] }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"routeMaps\": [{ \"name\": \"m\", \"rules\": [{ \"sequence\": 1, \"action\": \"permit\", "
            + "\"set\": { \"asPathPrepend\": { \"asn\": 1, \"count\": 99 }, \"nextHop\": \"10.0.0.0/8\" } }] }] "
            + "}"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"networks\": [\"10.9.0.0/16\", \"100.64.8.0/24\"] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"prefixLists\": [{ \"name\": \"a\", \"entries\": [] }, { \"name\": \"a\", \"entries\": [] }], "
            + "\"communityLists\": [{ \"name\": \"a\", \"entries\": [] }, { \"name\": \"a\", \"entries\": [] }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"routeMaps\": [{ \"name\": \"a\", \"rules\": [] }, { \"name\": \"a\", \"rules\": [] }, "
            + "{ \"name\": \"all\", \"rules\": [] }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"neighbors\": [{ \"node\": \"isp\", \"asn\": 65100, \"routeMapIn\": \"all\", \"routeMapOut\": "
            + "\"all\" }, { \"node\": \"isp\", \"asn\": 65100, \"routeMapIn\": \"none\", \"routeMapOut\": "
            + "\"none\" }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": { \"bmp\": \"192.0.2.9\" }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": { \"bmp\": [{ \"port\": 0 }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": { \"bmp\": [{ \"address\": \"192.0.2.9/24\", \"prot\": 1 }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": { \"bmp\": [{ \"address\": \"0.0.0.0\" }, { \"address\": \"ff02::1\" }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"bmp\": [{ \"address\": \"192.0.2.9\", \"port\": 65536, \"bestRoutes\": \"yes\" }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"bmp\": [{ \"address\": \"192.0.2.9\", \"statistics\": \"500ms\", \"retry\": 30 }] }"),
    Spoiling(
        "\"asn\": 65002",
        "\"asn\": 65002, \"bgp\": "
            + "{ \"bmp\": [{ \"address\": \"192.0.2.9\" }, { \"address\": \"192.0.2.9\", \"port\": 11019 }] }"),
    Spoiling("\"kind\": \"router\"", "\"kind\": \"ruoter\""),
    Spoiling("{ \"kind\": \"router\" }", "{ }"),
    Spoiling("{ \"kind\": \"router\" }", "{ \"kind\": \"router\", \"lan\": [\"10.9.0.0/16\"] }"),
    Spoiling("\"10.2.0.0/16\"", "\"10.1.128.0/17\""),
    Spoiling("\"10.2.0.0/16\"", "\"10.2.0.1/16\""),
    Spoiling("\"10.2.0.0/16\"", "\"10.2.0.1\""),
    Spoiling("\"10.2.0.0/16\"", "\"100.64.0.0/16\""),
    Spoiling("\"10.2.0.0/16\"", "\"10.2.0.0/32\""),
    Spoiling("\"at\": \"hq\"", "\"at\": \"laptop\""),
    Spoiling("\"at\": \"hq\"", "\"at\": \"hqq\""),
    Spoiling("{ \"kind\": \"host\", \"at\": \"hq\" }", "{ \"kind\": \"host\" }"),
    Spoiling(
        "\"isp\": { \"kind\": \"router\" }", "\"isp\": { \"kind\": \"router\" }, \"lone\": { \"kind\": \"router\" }"),
    Spoiling("\"isp\": {", "\"is p\": { \"kind\": \"router\" }, \"isp\": {"),
    Spoiling("\"isp\": {", "\"hq\": { \"kind\": \"router\" }, \"isp\": {"),
    Spoiling("\"full-mesh\"", "\"fullmesh\""),
    Spoiling("\"full-mesh\"", "[[\"hq\", \"isp\"], [\"hq\"], [\"hq\", \"hq\"]]"),
    Spoiling("\"tunnels\": \"full-mesh\"", "\"tunnels\": [[\"hq\", \"branch\"], [\"branch\", \"hq\"]]"),
    Spoiling("\"role\": \"hub\" }", "\"role\": \"head\", \"rle\": 1, \"region\": \"x\" }"),
    Spoiling("\"role\": \"hub\" }", "\"role\": \"hub\", \"public\": [\"10.0.0.0/8\", \"10.1.9.0/24\", \"x\"] }"),
    Spoiling(
        "\"kind\": \"host\", \"at\": \"hq\"", "\"kind\": \"host\", \"at\": \"hq\", \"prefixes\": [\"10.2.9.0/24\"]"),
    Spoiling(
        "\"kind\": \"host\", \"at\": \"hq\"",
        "\"kind\": \"host\", \"at\": \"hq\", \"prefixes\": [\"10.1.0.0/24\", \"10.1.8.0/23\", \"10.1.9.0/24\"]"),
    Spoiling(
        "\"kind\": \"host\", \"at\": \"hq\"",
        "\"kind\": \"host\", \"at\": \"isp\", \"prefixes\": [\"10.2.9.0/24\", \"100.64.8.0/24\", \"198.18.0.0/16\"]"),
    Spoiling("{ \"kind\": \"router\" }", "{ \"kind\": \"router\", \"prefixes\": [], \"public\": [] }"),
    Spoiling("\"detectMultiplier\": 3", "\"detectMultiplier\": 0"),
    Spoiling("\"sla\": \"voice\"", "\"sla\": \"voce\""),
    Spoiling("\"prefer\": [\"wan-a\"]", "\"prefer\": [\"wan-b\"]"),
    Spoiling("\"name\": \"small\",", "\"name\": \"small\", \"import\": { \"graphml\": \"bad.graphml\" },"),
    Spoiling("\"name\": \"small\",", "\"name\": \"small\", \"import\": { \"graphml\": \"broken.graphml\" },"),
    Spoiling(
        "\"name\": \"small\",", "\"name\": \"small\", \"import\": { \"graphml\": \"svg.graphml\", \"kind\": \"host\" },"
    ),
    Spoiling("\"name\": \"small\",", "\"name\": \"small\", // a comment"),
    Spoiling("\"detectMultiplier\": 3 }", "\"detectMultiplier\": 3, }"),
    Spoiling("\"name\": \"small\"", "\"name\": \"a\\qb\\ud800\""),
    Spoiling("\"delay\": \"3ms\"", "\"delay\": 3ms"),
    Spoiling("\"delay\": \"3ms\" }", "\"delay\": \"3ms\" ]"),
    Spoiling("\"asn\": 65002", "\"asn\": 065002"),
    Spoiling("\"kind\": \"router\"", "'kind': 'router'"),
]

private let scenarioSpoilings: [Spoiling] = [
    Spoiling("\"duration\": \"60s\",", ""),
    Spoiling("\"duration\": \"60s\"", "\"duration\": \"0s\""),
    Spoiling("\"warmup\": \"10s\"", "\"warmup\": \"90s\""),
    Spoiling("small-topology.json", "smal-topology.json"),
    Spoiling("\"name\": \"small\"", "\"name\": \"small\", \"seed\": -1"),
    Spoiling("\"name\": \"small\"", "\"name\": \"a/b\""),
    Spoiling("\"voip\"", "\"viop\""),
    Spoiling("\"voip\"", "\"gaming\""),
    Spoiling("\"voip\"", "\"cbr\""),
    Spoiling("\"voip\"", "\"replay\""),
    Spoiling("\"voip\"", "\"voip\", \"packetSize\": \"100B\""),
    Spoiling("\"from\": \"laptop\"", "\"from\": \"latpop\""),
    Spoiling("\"from\": \"laptop\"", "\"from\": \"isp\""),
    Spoiling("\"from\": \"laptop\"", "\"from\": \"server\""),
    Spoiling("\"start\": \"10s\"", "\"start\": \"10s\", \"stop\": \"9s\""),
    Spoiling("\"flows\": 10", "\"flows\": 0"),
    Spoiling("\"flows\": 10", "\"flows\": 10, \"over\": \"50s\""),
    Spoiling("\"at\": \"20s\"", "\"at\": \"70s\""),
    Spoiling("\"link\": \"branch:wan-a--isp\"", "\"link\": \"branch:wan-b--isp\""),
    Spoiling("\"down\": true", "\"down\": false"),
    Spoiling("\"down\": true", "\"down\": true, \"set\": { \"loss\": \"1%\" }"),
    Spoiling("\"down\": true, \"for\": \"5s\"", "\"set\": { \"loss\": \"1%\" }, \"for\": \"5s\""),
    Spoiling("\"down\": true, \"for\": \"5s\"", "\"flap\": { \"up\": \"0s\", \"down\": \"0\", \"for\": \"5s\" }"),
    Spoiling("\"down\": true, \"for\": \"5s\"", "\"set\": { }"),
    Spoiling("\"link\": \"branch:wan-a--isp\"", "\"node\": \"hq\""),
    Spoiling(
        "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"", "\"node\": \"laptop\", \"kill\": true"),
    Spoiling(
        "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"",
        "\"attack\": \"slowloris\", \"from\": \"laptop\", \"to\": \"server\", \"rate\": \"20kpps\""),
    Spoiling(
        "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"",
        "\"attack\": \"syn-flod\", \"from\": \"laptop\", \"to\": \"server\""),
    Spoiling(
        "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"",
        "\"attack\": \"syn-flood\", \"from\": \"laptop\", \"to\": \"laptop\", \"rate\": \"0pps\""),
    Spoiling(
        "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"",
        "\"attack\": \"udp-flood\", \"from\": \"hq\", \"to\": \"isp\", \"rate\": \"20kp\", \"sources\": 0"),
    Spoiling(
        "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"",
        "\"attack\": \"udp-flood\", \"from\": \"laptop\", \"to\": \"outpost\", \"rate\": \"20Mpps\""),
    Spoiling(
        "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"",
        "\"attack\": \"icmp-flood\", \"from\": \"laptop\""),
    Spoiling(
        "\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"",
        "\"attack\": \"icmp-flood\", \"from\": \"laptop\", \"to\": \"server\", \"flap\": 1, \"for\": \"0s\""),
    bgpSpoiling("\"bgp\": { \"session\": [\"hq\", \"branch\"] }"),
    bgpSpoiling("\"bgp\": { \"session\": [\"hq\", \"branch\"], \"reset\": true }, \"for\": \"5s\""),
    bgpSpoiling("\"bgp\": { \"session\": [\"hq\", \"hq\"], \"reset\": true }"),
    bgpSpoiling("\"bgp\": { \"session\": [\"hq\"], \"reset\": true }"),
    bgpSpoiling("\"bgp\": { \"session\": [\"hq\", \"laptop\"], \"reset\": true }"),
    bgpSpoiling("\"bgp\": { \"session\": [\"hq\", \"brnch\"], \"reset\": false }"),
    bgpSpoiling("\"bgp\": { \"session\": [\"hq\", \"branch\"], \"reset\": true, \"node\": \"hq\" }"),
    bgpSpoiling("\"bgp\": { }"),
    bgpSpoiling("\"bgp\": \"reset\""),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\" }"),
    bgpSpoiling("\"bgp\": { \"announce\": [\"10.1.0.0/17\"] }"),
    bgpSpoiling("\"bgp\": { \"node\": \"isp\", \"announce\": [\"10.1.0.0/17\"] }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": [\"10.1.0.1/17\", \"10.1.0.0\"] }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": [] }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": \"10.1.0.0/17\" }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": [\"100.127.0.1/32\"] }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": [\"10.1.0.0/17\"], \"reset\": true }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": [\"10.1.0.0/17\"], \"withdraw\": [\"10.2.0.0/16\"] }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": [\"10.1.0.0/17\"] }, \"for\": \"0s\""),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": { \"count\": 257, \"from\": \"20.0.0.0/16\" } }"),
    bgpSpoiling(
        "\"bgp\": { \"node\": \"branch\", \"announce\": { \"count\": 0, \"from\": \"20.0.0.0/8\", \"length\": 33 } }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"announce\": { \"count\": 20000, \"form\": \"20.0.0.0/8\" } }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"withdraw\": [\"10.1.0.0/16\", \"10.2.0.0/16\"] }"),
    bgpSpoiling("\"bgp\": { \"node\": \"branch\", \"anounce\": [\"10.1.0.0/17\"] }"),
    Spoiling("\"link\": \"branch:wan-a--isp\", \"down\": true, \"for\": \"5s\"", "\"label\": \"nothing\""),
    Spoiling("failover.outage.max", "failover.outtage.max"),
    Spoiling("failover.outage.max", "traffic.cals.mos.p5"),
    Spoiling("\"below\": \"300ms\"", "\"below\": 300"),
    Spoiling("\"below\": \"300ms\"", "\"below\": \"300ms\", \"above\": \"1ms\""),
    Spoiling("\"below\": \"300ms\"", "\"between\": [\"3ms\", \"1ms\"]"),
    Spoiling(", \"below\": \"300ms\"", ""),
    Spoiling("\"pcap\": [\"branch:wan-a--isp\"]", "\"pcap\": [\"branch:wan-a--ips\"]"),
    Spoiling("\"interval\": \"100ms\"", "\"interval\": \"1us\""),
]

@Suite struct FaultTests {
    /// The spoilt text with the faults that a loader finds in it.
    private func report(_ spoiling: Spoiling, of text: String, _ source: (String) -> FileSource) throws -> String {
        try #require(text.contains(spoiling.text), "\(spoiling.text) is not in the example")
        let source = source(text.replacing(spoiling.text, with: spoiling.replacement, maxReplacements: 1))
        let faults = ScenarioLoader(source).faults("small.json")
        let lines = faults.isEmpty ? ["no fault"] : faults.map(\.description)
        return "\(spoiling.text)  =>  \(spoiling.replacement)\n" + lines.map { "    \($0)\n" }.joined()
    }

    @Test func `the example that the others spoil has no fault`() {
        #expect(ScenarioLoader(Example.files()).faults("small.json").isEmpty)
    }

    @Test func `every fault of a topology is told with its place and what to write`() throws {
        let reports = try topologySpoilings.map { try report($0, of: Example.topology) { Example.files(topology: $0) } }
        #expect(!reports.contains { $0.contains("no fault") })
        try expectGolden(reports.joined(), named: "topology-faults.txt")
    }

    @Test func `every fault of a scenario is told with its place and what to write`() throws {
        let reports = try scenarioSpoilings.map { try report($0, of: Example.scenario) { Example.files(scenario: $0) } }
        #expect(!reports.contains { $0.contains("no fault") })
        try expectGolden(reports.joined(), named: "scenario-faults.txt")
    }

    @Test func `all faults of both files come in one go, in the order of files and places`() {
        let topology = Example.topology.replacing("\"50Mbit\"", with: "50").replacing("65002", with: "0")
        let scenario = Example.scenario.replacing("\"60s\"", with: "60").replacing("laptop", with: "phone")
        let faults = ScenarioLoader(Example.files(topology: topology, scenario: scenario)).faults("small.json")
        #expect(
            faults.map { "\($0.file):\($0.line):\($0.column)" } == [
                "small.json:4:15", "small.json:7:55", "small-topology.json:5:44", "small-topology.json:11:53",
            ])
    }

    @Test func `files of any size and depth are refused or read, never trapped on`() {
        let deep = String(repeating: "[", count: 100_000)
        let wide = "[" + String(repeating: "1,", count: 1 << 20) + "1]"
        for text in [deep, wide, "", " ", "{", "\"", "\\", "{\"a\"", "\u{FEFF}{}", "nul", "-", "1e"] {
            let parsed = ParsedDocument(Array(text.utf8), file: "x.json")
            #expect(parsed.faults.isEmpty == (text == "\u{FEFF}{}"))
            let yaml = ParsedDocument(Array(text.utf8), file: "x.yaml")
            #expect(yaml.root != nil || !yaml.faults.isEmpty)
        }
    }

    @Test func `a folder is no scenario`() {
        let faults = ScenarioLoader(.disk).faults(projectFolder.appending(path: "scenarios").path)
        #expect(faults.map(\.message) == ["this is no regular file; give the path of a file"])
    }

    @Test func `a file is recognised as a scenario or a topology by its keys`() {
        let loader = ScenarioLoader(Example.files())
        #expect(loader.check("small.json").kind == .scenario)
        #expect(loader.check("small-topology.json").kind == .topology)
        #expect(loader.check("small-topology.json").faults.all.isEmpty)
        #expect(
            loader.check("missing.json").faults.description
                == "missing.json:1:1: $: there is no such file; give a path relative to this file")
    }
}
