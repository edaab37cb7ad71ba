import BFD
import BGP
import Basics
import Scenario
import ScenarioFiles
import Testing
import Wire

/// What a node's `bgp` key comes to.
@Suite struct BGPKeyTests {
    private static let file = """
        {
          "name": "row",
          "nodes": {
            "core": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "bgp": {
              "networks": ["10.9.0.0/16"], "maximumPaths": 4, "multipathRelax": true,
              "origins": [{ "prefix": "10.3.0.0/16", "maximumLength": 24, "asn": 65003 }],
              "prefixLists": [{ "name": "long", "entries": [
                { "action": "permit", "prefix": "10.0.0.0/8", "atLeast": 16, "atMost": 24 }] }],
              "communityLists": [{ "name": "ours", "entries": [{ "action": "permit", "community": "65001:1" }] }],
              "routeMaps": [{ "name": "in", "rules": [
                { "sequence": 20, "action": "permit", "set": { "localPreference": 50 } },
                { "sequence": 10, "action": "deny", "match": { "prefixList": "long", "originValidity": "invalid" } },
                { "sequence": 15, "action": "permit", "match": { "asPath": "^65003$", "communityList": "ours" },
                  "set": { "med": 7, "community": "no-export", "asPathPrepend": { "asn": 65001, "count": 2 } } }] }],
              "neighbors": [
                { "node": "customer", "routeMapIn": "in", "routeMapOut": "all", "password": "secret",
                  "ttlSecurity": 1, "timers": { "holdtime": "30s" }, "gracefulRestart": "60s", "addPath": "both",
                  "maximumPrefixes": 100, "role": "provider", "families": ["ipv4"],
                  "bfd": { "interval": "50ms" }, "damping": { "halfLife": "10s", "suppress": 1500 } },
                { "address": "192.0.2.2", "asn": 65100, "description": "transit", "routeMapIn": "none",
                  "routeMapOut": "none" }] } },
            "customer": { "kind": "patronus", "asn": 65003, "lan": ["10.3.0.0/16"] },
            "transit": { "kind": "router" }
          },
          "links": [
            { "endpoints": ["core:ce0", "customer:pe0"] },
            { "endpoints": ["core:ce1", "transit"], "addresses": ["192.0.2.1/24", "192.0.2.2/24"] }
          ],
          "overlay": { "tunnels": [["core", "customer"]] }
        }
        """

    private func topology() throws -> Topology {
        let files = [InputFile(path: "row.json", bytes: Array(Self.file.utf8))]
        return try ScenarioLoader(.memory(files)).loadTopology("row.json").topology
    }

    @Test func `neighbours are found by node or by address, with the addresses of the link`() throws {
        let topology = try topology()
        let neighbors = topology.neighbors(of: 0)
        try #require(neighbors.count == 2)
        #expect(neighbors.map(\.name) == ["customer", "transit"])
        #expect(neighbors.map(\.settings.autonomousSystem) == [65_003, 65_100])
        #expect(neighbors.map { "\($0.settings.address)" } == ["100.64.0.1", "192.0.2.2"])
        #expect(neighbors.map { "\($0.settings.localAddress)" } == ["100.64.0.0", "192.0.2.1"])
        #expect(neighbors.map { topology.end($0.port).port } == ["ce0", "ce1"])
        let session = neighbors[0].settings.session
        #expect(neighbors[0].settings.families == .ipv4Unicast)
        let damping = try #require(neighbors[0].settings.damping)
        #expect(damping.halfLife == .seconds(10) && damping.suppressThreshold == 1_500)
        #expect(damping.reuseThreshold == 750 && neighbors[1].settings.damping == nil)
        #expect(session.transport.md5Key == "secret" && session.transport.minimumTimeToLive == 255)
        #expect(session.holdTime == .seconds(30) && session.gracefulRestart?.restartTime == .seconds(60))
        #expect(session.capabilities.numberedFamiliesHeard == [.ipv4Unicast, .ipv6Unicast])
        #expect(session.followsBFD && neighbors[0].liveness == LivenessTiming(interval: .milliseconds(50)))
        #expect(!neighbors[1].settings.session.followsBFD && neighbors[1].liveness == nil)
        #expect(session.prefixLimit?.maximum == 100 && session.role == .provider)
        #expect(topology.nodes[0].bgp?.networks.map { "\($0)" } == ["10.9.0.0/16"])
    }

    @Test func `how many paths are used, and whether they may be by several ASes, is read`() throws {
        let topology = try topology()
        let core = try #require(topology.nodes[0].bgp)
        #expect(core.maximumPaths == 4 && core.spreadsOverNeighbors && core.spreadsFlows)
        let none = BGPDeclaration()
        #expect(none.maximumPaths == 1 && !none.spreadsOverNeighbors && !none.spreadsFlows)
    }

    @Test func `a number of paths that cannot be, and a relaxation of one path, are said to be so`() {
        let keys = #""maximumPaths": 4, "multipathRelax": true,"#
        func said(_ replacement: String) -> [String] {
            let text = Self.file.replacing(keys, with: replacement)
            let loader = ScenarioLoader(.memory([InputFile(path: "row.json", bytes: Array(text.utf8))]))
            let checked = loader.check("row.json")
            return (checked.faults.all.map(\.description) + checked.warnings.map(\.description))
                .filter { $0.contains("aths") || $0.contains("multipath") }
        }
        let (place, path) = ("row.json:5:52", "nodes.core.bgp")
        let range = "write a whole number from 1 to 64"
        #expect(said(#""maximumPaths": 0,"#) == ["\(place): \(path).maximumPaths: 0 is out of range; \(range)"])
        #expect(
            said(#""multipathRelax": true,"#) == [
                "row.json:5:54: \(path).multipathRelax: this does nothing while one path is used; "
                    + "write \"maximumPaths\": 2"
            ])
        #expect(said(#""maximumPaths": 65,"#) == ["\(place): \(path).maximumPaths: 65 is out of range; \(range)"])
    }

    @Test func `a route map's rules are tried by number`() throws {
        let topology = try topology()
        let neighbor = try #require(topology.neighbors(of: 0).first)
        let policy = try #require(neighbor.settings.importPolicy)
        let origins = try #require(topology.nodes[0].bgp?.origins)
        func outcome(_ prefix: String, path: [UInt32], communities: [Community] = []) throws -> PathAttributes? {
            var attributes = PathAttributes(nextHop: neighbor.settings.address)
            for number in path.reversed() { attributes.path.prepend(number, count: 1) }
            attributes.communities = communities
            return policy.apply(to: attributes, of: try #require(IPPrefix(prefix)), origins: origins)
        }
        // Another AS than the one that may, and a prefix that is longer than it may be.
        #expect(try outcome("10.3.0.0/16", path: [65_003, 65_004]) == nil)
        let plain = try #require(try outcome("10.3.0.0/16", path: [65_003]))
        #expect(plain.localPreference == 50 && plain.multiExitDiscriminator == nil)
        let marked = try #require(
            try outcome("10.3.0.0/16", path: [65_003], communities: [Community(65_001, 1)]))
        #expect(marked.multiExitDiscriminator == 7 && marked.communities.contains(.noExport))
        #expect(marked.path.numbers == [65_001, 65_001, 65_003] && marked.localPreference == nil)
        #expect(neighbor.settings.exportPolicy == .acceptAll)
    }
}
