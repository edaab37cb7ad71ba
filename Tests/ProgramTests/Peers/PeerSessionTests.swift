import Foundation
import Glibc
import TestKit
import Testing

/// What an operator does to a session, as FRR sees it, and FRR as a peer that nobody has named.
@Suite(
    .serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"),
    .enabled(if: access("/usr/lib/frr/bgpd", X_OK) == 0, "FRR is not installed: scripts/bootstrap.sh"))
struct PeerSessionTests {
    private let bench: LabBench
    private var folder: String { bench.workspace.url("frr").path }

    init() throws {
        bench = try LabBench()
        try FRRouting.makeFolder(in: bench.workspace)
        let bgp = """
            hostname frr
            router bgp 65100
             bgp router-id 192.0.2.2
             no bgp ebgp-requires-policy
             no bgp network import-check
             neighbor 192.0.2.1 remote-as 65001
             neighbor 192.0.2.1 timers connect 1
             address-family ipv4 unicast
              network 172.16.1.0/24
              network 172.16.2.0/24
             exit-address-family

            """
        try bench.workspace.write(bgp, to: "frr/bgpd.conf")
    }

    /// A lab in which the headquarters knows of FRR by these words.
    private func start(_ words: String) throws {
        let wait = "while [ ! -S \(folder)/zserv ]; do sleep 0.1; done; exec "
        let commands = [
            FRRouting.daemon("zebra", "-f /dev/null", in: folder),
            wait + FRRouting.daemon("bgpd", "-f \(folder)/bgpd.conf", in: folder),
        ]
        let list = String(decoding: try JSONEncoder().encode(commands), as: UTF8.self)
        let topology = """
            {
              "name": "sessions",
              "nodes": {
                "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16", "10.2.0.0/16"], "bgp": {
                  "aggregates": [{ "prefix": "10.0.0.0/8", "summaryOnly": true }],
                  "groups": [{ "name": "customers", "asn": 65100, "routeMapIn": "all", "routeMapOut": "all" }],
                  \(words) } },
                "frr": { "kind": "linux", "exec": \(list) },
                "server": { "kind": "host", "at": "hq" }
              },
              "links": [ { "endpoints": ["hq:ce0", "frr:eth0"], "addresses": ["192.0.2.1/30", "192.0.2.2/30"] } ],
              "overlay": { "tunnels": "full-mesh", "encryption": "none" }
            }
            """
        try bench.workspace.write(topology, to: "sessions.json")
        let outcome = try bench.run("lab", "up", "sessions.json")
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func show(_ words: String) throws -> [String: Any] {
        let outcome = try bench.run(
            "lab", "exec", "frr", "--", "/usr/bin/vtysh", "--vty_socket", folder, "-c", "show bgp \(words) json")
        return (try? parsed(outcome.output)) ?? [:]
    }

    private func neighbor() throws -> [String: Any] {
        try show("neighbors")["192.0.2.1"] as? [String: Any] ?? [:]
    }

    private func isUp() throws -> Bool { try neighbor()["bgpState"] as? String == "Established" }

    private func heard() throws -> Set<String> {
        Set((try show("ipv4 unicast")["routes"] as? [String: Any] ?? [:]).keys)
    }

    /// What the node says of its sessions.
    private func sessions() throws -> [String: String] {
        let text = try bench.run("lab", "inspect", "hq", "--json").output
        let states = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        let sessions = states?.first?["sessions"] as? [[String: String]] ?? []
        return Dictionary(sessions.map { ($0["peer"] ?? "", $0["state"] ?? "") }) { $1 }
    }

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
            (try neighbor()["messageStats"] as? [String: Any])?["routeRefreshRecv"] as? Int ?? -1
        }
        let before = try refreshes()
        #expect(try bench.run("lab", "session", "hq", "frr", "refresh").status == 0)
        #expect(try eventually(within: 10, every: 0.2) { try refreshes() > before })
        #expect(try isUp())

        #expect(try bench.run("lab", "session", "hq", "frr", "stop", "--reason", "maintenance until 4").status == 0)
        #expect(try eventually(within: 10, every: 0.2) { try !isUp() && sessions()["frr"] == "idle" })
        #expect(try "\(neighbor())".contains("maintenance until 4"))
        // FRR calls every second; a session that was stopped does not answer.
        usleep(3_000_000)
        #expect(try !isUp() && sessions()["frr"] == "idle")
        #expect(try bench.run("lab", "session", "hq", "frr", "start").status == 0)
        #expect(try eventually(within: 30, every: 0.2) { try isUp() && sessions()["frr"] == "established" })

        func drops() throws -> Int { try neighbor()["connectionsDropped"] as? Int ?? -1 }
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
                try neighbor()["connectionsDropped"] as? Int == 1 && isUp()
            })
        #expect(try bench.run("lab", "down").status == 0)
    }
}
