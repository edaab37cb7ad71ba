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
              "bmp": [
                { "address": "192.0.2.9", "port": 5000, "bestRoutes": true, "statistics": "60s", "retry": "5s" },
                { "address": "2001:db8::9" }],
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

    @Test func `collectors are read, with a word on what the simulator does not do`() throws {
        let files = [InputFile(path: "row.json", bytes: Array(Self.file.utf8))]
        let loaded = try ScenarioLoader(.memory(files)).loadTopology("row.json")
        let collectors = try #require(loaded.topology.nodes[0].bgp?.collectors)
        try #require(collectors.count == 2 && loaded.topology.nodes[1].bgp == nil)
        #expect("\(collectors[0].address)" == "192.0.2.9:5000" && "\(collectors[1].address)" == "[2001:db8::9]:11019")
        #expect(collectors.map(\.tellsBestRoutes) == [true, false])
        #expect(collectors.map(\.statisticsInterval) == [.seconds(60), nil])
        #expect(collectors.map(\.retryInterval) == [.seconds(5), .seconds(30)])
        let words = loaded.warnings.filter { $0.path == "nodes.core.bgp.bmp" }.map(\.message)
        #expect(
            words == [
                "the simulator has no collectors: a node tells them its routes in namespaces and as a real node only"
            ])
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

    /// A hub with a link to two customers and one to others, and what its `bgp` key comes to.
    private func hub(_ bgp: String, _ files: [InputFile] = []) throws -> (topology: Topology, bgp: BGPDeclaration) {
        let loader = ScenarioLoader(.memory([Self.hubFile(bgp)] + files))
        let topology = try loader.loadTopology("hub.json").topology
        return (topology, try #require(topology.nodes[0].bgp))
    }

    private static func hubFile(_ bgp: String) -> InputFile {
        let text = """
            { "nodes": {
                "hub": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "bgp": { \(bgp) } },
                "left": { "kind": "linux" }, "right": { "kind": "linux" }, "others": { "kind": "linux" } },
              "links": [
                { "endpoints": ["hub:ce0", "left"], "addresses": ["192.0.2.1/30", "192.0.2.2/30"] },
                { "endpoints": ["hub:ce1", "right"], "addresses": ["192.0.2.5/30", "192.0.2.6/30"] },
                { "endpoints": ["hub:ce2", "others"], "addresses": ["198.51.100.1/24", "198.51.100.2/24"] }] }
            """
        return InputFile(path: "hub.json", bytes: Array(text.utf8))
    }

    private func faults(_ bgp: String, _ files: [InputFile] = []) -> [String] {
        let all = ScenarioLoader(.memory([Self.hubFile(bgp)] + files)).check("hub.json").faults
        return all.all.map { $0.description.replacing(#/^hub.json:\d+:\d+: nodes.hub.bgp./#, with: "") }
    }

    private static let group = """
        "groups": [{ "name": "customers", "asn": 65100, "routeMapIn": "all", "routeMapOut": "none",
          "maximumPrefixes": { "maximum": 500, "warning": "80%", "then": "restart", "after": "90s" },
          "gracefulRestart": "60s", "longLivedGracefulRestart": "1h", "addPath": "receive",
          "timers": { "holdtime": "30s", "delayOpen": "2s", "idleHold": "5s", "sendHold": "60s" } }]
        """

    @Test func `neighbours have what their group has, but for what is their own`() throws {
        let neighbors = try hub(
            Self.group + """
                , "neighbors": [{ "node": "left", "group": "customers" },
                  { "node": "right", "group": "customers", "asn": 65200, "routeMapOut": "all", "maximumPrefixes": 7,
                    "timers": { "holdtime": "9s" } }]
                """
        ).topology.neighbors(of: 0).map(\.settings)
        try #require(neighbors.count == 2)
        #expect(neighbors.map(\.autonomousSystem) == [65_100, 65_200])
        #expect(neighbors.map(\.exportPolicy) == [.denyAll, .acceptAll])
        #expect(neighbors.allSatisfy { $0.importPolicy == .acceptAll })
        var limit = PrefixLimit(maximum: 500, response: .restart(after: .seconds(90)))
        limit.warningPercentage = 80
        #expect(neighbors.map(\.session.prefixLimit) == [limit, PrefixLimit(maximum: 7)])
        #expect(neighbors.map(\.session.holdTime) == [.seconds(30), .seconds(9)])
        for session in neighbors.map(\.session) {
            #expect(session.delayOpen == .seconds(2) && session.idleHold == .seconds(5))
            #expect(session.sendHoldTime == .seconds(60) && session.gracefulRestart?.restartTime == .seconds(60))
            #expect(session.gracefulRestart?.longLivedStaleTime == .seconds(3_600))
            #expect(session.capabilities.numberedFamiliesHeard == [.ipv4Unicast, .ipv6Unicast])
            #expect(session.capabilities.numberedFamiliesTold.isEmpty)
        }
    }

    @Test func `a direction of paths and a route map of one's own replace the group's`() throws {
        let topology = try hub(
            """
            "groups": [{ "name": "a", "asn": 65100, "addPath": "both", "routeMapIn": "all", "routeMapOut": "all",
              "bfd": true, "damping": true }],
            "neighbors": [{ "node": "left", "group": "a", "addPath": "send", "bfd": false, "damping": false },
              { "node": "right", "group": "a", "addPath": "receive", "routeMapIn": "none" }]
            """
        ).topology
        let neighbors = topology.neighbors(of: 0)
        let offers = neighbors.map(\.settings.session.capabilities)
        #expect(offers.map(\.numberedFamiliesHeard) == [[], [.ipv4Unicast, .ipv6Unicast]])
        #expect(offers.map(\.numberedFamiliesTold) == [[.ipv4Unicast, .ipv6Unicast], []])
        #expect(neighbors.map { $0.liveness == nil } == [true, false])
        #expect(neighbors.map { $0.settings.damping == nil } == [true, false])
        #expect(neighbors.map(\.settings.importPolicy) == [.acceptAll, .denyAll])
    }

    @Test func `a policy that is missing is spoken of once, and only where one is needed`() {
        func warnings(_ bgp: String) -> [String] {
            ScenarioLoader(.memory([Self.hubFile(bgp)])).check("hub.json").warnings.map(\.path)
                .filter { $0.hasPrefix("nodes.hub") }
        }
        #expect(warnings("\"neighbors\": [{ \"node\": \"left\", \"asn\": 65001 }]") == [])
        #expect(
            warnings("\"neighbors\": [{ \"node\": \"left\", \"asn\": 65100 }]")
                == ["nodes.hub.bgp.neighbors[0]", "nodes.hub.bgp.neighbors[0]"])
        let misspelt = "\"asn\": 65100, \"routeMapIn\": \"al\", \"routeMapOut\": \"all\""
        #expect(
            faults("\"neighbors\": [{ \"node\": \"left\", \(misspelt) }]")
                == ["neighbors[0].routeMapIn: there is no route map \"al\"; did you mean \"all\"?"])
    }

    @Test func `peers of the overlay are in a confederation together or not at all`() {
        func faults(_ other: String) -> [String] {
            let text = """
                { "nodes": {
                    "hub": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"],
                      "bgp": { "confederation": { "identifier": 65000, "members": [65001, 65002] } } },
                    "site": { "kind": "patronus", "lan": ["10.2.0.0/16"], \(other) },
                    "isp": { "kind": "router" } },
                  "links": [{ "endpoints": ["hub:wan-a", "isp"] }, { "endpoints": ["site:wan-a", "isp"] }],
                  "overlay": { "tunnels": "full-mesh" } }
                """
            let loader = ScenarioLoader(.memory([InputFile(path: "two.json", bytes: Array(text.utf8))]))
            return loader.check("two.json").faults.all.map(\.message)
        }
        let whole = "\"confederation\": { \"identifier\": 65000, \"members\": [65001, 65002] }"
        #expect(faults("\"asn\": 65002, \"bgp\": { \(whole) }") == [])
        #expect(
            faults("\"asn\": 65002")
                == ["its peer \"site\" is in the confederation and does not say so; give it the same"])
        #expect(
            faults("\"asn\": 65003") == [
                "its peer \"site\" is not in the confederation; add its \"asn\" to the members"
            ])
    }

    @Test func `whoever calls from a range gets the group's settings`() throws {
        let topology = try hub(
            Self.group + """
                , "listen": [{ "range": "198.51.100.128/25", "group": "customers", "maximum": 3 }]
                """
        ).topology
        let listener = try #require(topology.listeners(of: 0).first)
        #expect(topology.end(listener.port).port == "ce2" && "\(listener.localAddress)" == "198.51.100.1")
        #expect("\(listener.peers.range)" == "198.51.100.128/25" && listener.peers.maximumCount == 3)
        #expect(listener.peers.group.template.autonomousSystem == 65_100)
        #expect(listener.connected.map { "\($0)" } == ["198.51.100.0/24", "fd64:0:0:3::/127"])
    }

    @Test func `reflection, confederation, aggregates and further marks are read`() throws {
        let bgp = try hub(
            """
            "cluster": "10.0.0.7", "confederation": { "identifier": 65000, "members": [65001, 65002] },
            "aggregates": [{ "prefix": "10.0.0.0/8", "summaryOnly": true }, { "prefix": "fd00::/16" }],
            "neighbors": [{ "node": "left", "asn": 65001, "routeMapIn": "all", "routeMapOut": "all",
              "routeReflectorClient": true, "accumulatedMetric": true, "extendedNextHop": true,
              "requireFirstAS": false, "role": "peer", "requireRole": true }]
            """
        ).bgp
        #expect(bgp.confederation == Confederation(identifier: 65_000, members: [65_001, 65_002]))
        #expect(bgp.aggregates.map(\.isSummaryOnly) == [true, false])
        #expect(bgp.aggregates.map { "\($0.prefix)" } == ["10.0.0.0/8", "fd00::/16"])
        let settings = try #require(bgp.neighbors.first).settings
        #expect(settings.session.reflection == RouteReflection(isClient: true, cluster: IPv4Address(10, 0, 0, 7)))
        #expect(settings.session.carriesAccumulatedMetric == true && settings.session.capabilities.extendedNextHop)
        #expect(!settings.requiresFirstAS && settings.session.requiresRole)
    }

    @Test func `authorizations are read as validators write them`() throws {
        let text = "ASN,IP Prefix,Max Length,Trust Anchor\r\nAS65003,10.3.0.0/16,24,ripe\r\n65004,fd04::/32,,x\n"
        let file = InputFile(path: "vrps.csv", bytes: Array(text.utf8))
        let origins = try hub("\"origins\": \"vrps.csv\"", [file]).bgp.origins
        let expected = OriginTable([
            OriginAuthorization(try #require(IPPrefix("10.3.0.0/16")), maximumLength: 24, autonomousSystem: 65_003),
            OriginAuthorization(try #require(IPPrefix("fd04::/32")), autonomousSystem: 65_004),
        ])
        #expect(origins == expected)
        let spoilt = InputFile(path: "vrps.csv", bytes: Array("AS1,10.0.0.0/8,8\nAS1,10.0.0.0/8,7\nhello\n".utf8))
        let message = "this is no authorization; write one a line, such as AS64496,192.0.2.0/24,24"
        #expect(
            faults("\"origins\": \"vrps.csv\"", [spoilt])
                == ["vrps.csv:2:1: $: \(message)", "vrps.csv:3:1: $: \(message)"])
    }

    @Test(arguments: [
        (
            "\"neighbors\": [{ \"node\": \"left\", \"asn\": 65100, \"group\": \"custom\" }]",
            "neighbors[0].group: there is no group \"custom\"; there is none"
        ),
        (
            "\"groups\": [{ \"name\": \"a\" }], \"listen\": [{ \"range\": \"198.51.100.0/25\", \"group\": \"a\" }]",
            "listen[0].group: who calls has to have a number; give the group an \"asn\""
        ),
        (
            "\"groups\": [{ \"name\": \"a\", \"asn\": 65100 }], "
                + "\"listen\": [{ \"range\": \"203.0.113.0/24\", \"group\": \"a\" }]",
            "listen[0]: no link of \"hub\" leads to 203.0.113.0/24; write a range on one of them"
        ),
        (
            "\"groups\": [{ \"name\": \"a\", \"asn\": 65100, \"password\": \"x\" }], "
                + "\"listen\": [{ \"range\": \"198.51.100.0/25\", \"group\": \"a\" }]",
            "listen[0].group: \"password\", \"ttlSecurity\" and \"bfd\" are for neighbours whose address is known; "
                + "leave them out of the group"
        ),
        (
            "\"groups\": [{ \"name\": \"a\" }, { \"name\": \"a\" }]",
            "groups[1].name: another group is named \"a\"; choose another name"
        ),
        (
            "\"aggregates\": [{ \"prefix\": \"10.0.0.0/8\" }, { \"prefix\": \"10.0.0.0/8\" }]",
            "aggregates[1].prefix: 10.0.0.0/8 is announced already; leave it out here"
        ),
        (
            "\"groups\": [{ \"name\": \"a\", \"longLivedGracefulRestart\": \"1h\" }]",
            "groups[0].longLivedGracefulRestart: RFC 9494 goes on where graceful restart ends; write "
                + "\"gracefulRestart\": \"120s\" too"
        ),
        (
            "\"groups\": [{ \"name\": \"a\", \"maximumPrefixes\": { \"maximum\": 5, \"after\": \"60s\" } }]",
            "groups[0].maximumPrefixes.after: \"after\" goes with \"then\": \"restart\"; leave it out"
        ),
        (
            "\"aggregates\": [{ \"prefix\": \"10.1.0.0/16\" }]",
            "aggregates[0].prefix: 10.1.0.0/16 is announced already; leave it out here"
        ),
        (
            "\"aggregates\": [{ \"prefix\": \"0.0.0.0/0\" }]",
            "aggregates[0].prefix: 0.0.0.0/0 is every address; write a longer prefix"
        ),
        ("\"cluster\": \"fd00::1\"", "cluster: a cluster's number looks like an IPv4 address; write \"10.0.0.1\""),
    ])
    func `what cannot be is a fault with its place`(bgp: String, message: String) {
        #expect(faults(bgp) == [message])
    }
}
