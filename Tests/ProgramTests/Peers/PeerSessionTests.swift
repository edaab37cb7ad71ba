import Glibc
import TestKit
import Testing

/// What an operator does to a session, as FRR sees it, and FRR as a peer that nobody has named.
@Suite(
    .serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"),
    .enabled(if: access("/usr/lib/frr/bgpd", X_OK) == 0, "FRR is not installed: scripts/bootstrap.sh"))
struct PeerSessionTests {
    private let lab: FRRLab
    private var bench: LabBench { lab.bench }

    init() throws {
        lab = try FRRLab(
            bgp: """
                 address-family ipv4 unicast
                  network 172.16.1.0/24
                  network 172.16.2.0/24
                 exit-address-family
                """)
    }

    /// The lab, in which the headquarters knows of FRR by these words.
    private func start(_ words: String) throws {
        try lab.start(
            """
            "aggregates": [{ "prefix": "10.0.0.0/8", "summaryOnly": true }],
            "groups": [{ "name": "customers", "asn": 65100, "routeMapIn": "all", "routeMapOut": "all" }], \(words)
            """)
    }

    private func isUp() throws -> Bool { try lab.isUp() }

    private func heard() throws -> Set<String> {
        let table = try lab.show("bgp ipv4 unicast") as? [String: Any]
        return Set((table?["routes"] as? [String: Any] ?? [:]).keys)
    }

    private func sessions() throws -> [String: String] { try lab.sessions() }

    @Test func `a session is refreshed, stopped with a reason, started and reset`() throws {
        try start(
            "\"neighbors\": [{ \"node\": \"frr\", \"group\": \"customers\", \"timers\": { \"connectRetry\": \"1s\" } }]"
        )
        try #require(try eventually(within: 30, every: 0.2) { try isUp() && sessions()["frr"] == "established" })
        // The aggregate alone, and FRR's own networks.
        #expect(
            try eventually(within: 10, every: 0.2) {
                try heard() == ["10.0.0.0/8", "172.16.1.0/24", "172.16.2.0/24"]
            })
        func refreshes() throws -> Int {
            (try lab.neighbor()["messageStats"] as? [String: Any])?["routeRefreshRecv"] as? Int ?? -1
        }
        let before = try refreshes()
        #expect(try bench.run("lab", "session", "hq", "frr", "refresh").status == 0)
        #expect(try eventually(within: 10, every: 0.2) { try refreshes() > before })
        #expect(try isUp())

        #expect(try bench.run("lab", "session", "hq", "frr", "stop", "--reason", "maintenance until 4").status == 0)
        #expect(try eventually(within: 10, every: 0.2) { try !isUp() && sessions()["frr"] == "idle" })
        #expect(try "\(lab.neighbor())".contains("maintenance until 4"))
        // FRR calls every second; a session that was stopped does not answer.
        usleep(3_000_000)
        #expect(try !isUp() && sessions()["frr"] == "idle")
        #expect(try bench.run("lab", "session", "hq", "frr", "start").status == 0)
        #expect(try eventually(within: 30, every: 0.2) { try isUp() && sessions()["frr"] == "established" })

        func drops() throws -> Int { try lab.neighbor()["connectionsDropped"] as? Int ?? -1 }
        let former = try drops()
        #expect(try bench.run("lab", "session", "hq", "frr", "reset").status == 0)
        #expect(try eventually(within: 30, every: 0.2) { try drops() > former && isUp() })

        let unknown = try bench.run("lab", "session", "hq", "fr", "reset")
        #expect(
            unknown.status != 0
                && unknown.errors.contains("\"hq\" has no BGP session with \"fr\"; it has those with frr"))
        #expect(try bench.run("lab", "down").status == 0)
    }

    @Test func `whoever calls from a range is a neighbour`() throws {
        try start("\"listen\": [{ \"range\": \"192.0.2.0/30\", \"group\": \"customers\" }]")
        try #require(try eventually(within: 30, every: 0.2) { try isUp() && sessions()["dynamic-1"] == "established" })
        #expect(try eventually(within: 10, every: 0.2) { try heard().contains("10.0.0.0/8") })
        let isExplained = try eventually(within: 10, every: 0.2) {
            try bench.run("lab", "inspect", "hq", "bgp", "172.16.1.0/24").output.contains("from 192.0.2.2")
        }
        let explained = try bench.run("lab", "inspect", "hq", "bgp", "172.16.1.0/24")
        #expect(isExplained, "\(explained.output) \(explained.errors)")
        #expect(try bench.run("lab", "session", "hq", "dynamic-1", "reset").status == 0)
        #expect(
            try eventually(within: 30, every: 0.2) {
                try lab.neighbor()["connectionsDropped"] as? Int == 1 && isUp()
            })
        #expect(try bench.run("lab", "down").status == 0)
    }
}
