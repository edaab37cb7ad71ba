import Foundation
import Glibc
import TestKit
import Testing

/// BFD between the node and FRR's `bfdd`, over one link (RFC 5881).
@Suite(
    .serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"),
    .enabled(if: access("/usr/lib/frr/bfdd", X_OK) == 0, "FRR is not installed: scripts/bootstrap.sh"))
struct PeerLivenessTests {
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
             neighbor 192.0.2.1 remote-as 65001
             neighbor 192.0.2.1 timers 30 90
             neighbor 192.0.2.1 timers connect 1
             neighbor 192.0.2.1 bfd

            """
        let bfd = """
            bfd
             peer 192.0.2.1
              receive-interval 100
              transmit-interval 100

            """
        try bench.workspace.write(bgp, to: "frr/bgpd.conf")
        try bench.workspace.write(bfd, to: "frr/bfdd.conf")
        try bench.workspace.write(topology(), to: "bfd.json")
    }

    private func topology() throws -> String {
        func daemon(_ name: String, _ options: String) -> String { FRRouting.daemon(name, options, in: folder) }
        let wait = "while [ ! -S \(folder)/zserv ]; do sleep 0.1; done; exec "
        let commands = [
            daemon("zebra", "-f /dev/null"),
            wait + daemon("bfdd", "-f \(folder)/bfdd.conf --bfdctl \(folder)/bfdd.control"),
            wait + daemon("bgpd", "-f \(folder)/bgpd.conf"),
        ]
        let list = String(decoding: try JSONEncoder().encode(commands), as: UTF8.self)
        return """
            {
              "name": "bfd",
              "nodes": {
                "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "bgp": { "neighbors": [
                  { "node": "frr", "asn": 65100, "routeMapIn": "all", "routeMapOut": "all",
                    "bfd": { "interval": "100ms" }, "timers": { "connectRetry": "1s" } } ] } },
                "frr": { "kind": "linux", "exec": \(list) },
                "server": { "kind": "host", "at": "hq" }
              },
              "links": [ { "endpoints": ["hq:ce0", "frr:eth0"], "addresses": ["192.0.2.1/30", "192.0.2.2/30"] } ],
              "overlay": { "tunnels": "full-mesh", "encryption": "none" }
            }
            """
    }

    private func peerState() throws -> String {
        let outcome = try bench.run(
            "lab", "exec", "frr", "--", "/usr/bin/vtysh", "--vty_socket", folder, "-c", "show bfd peers json")
        let peers = try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
        return peers?.first?["status"] as? String ?? ""
    }

    private func sessionState() throws -> String {
        let text = try bench.run("lab", "inspect", "hq", "--json").output
        let states = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        let sessions = states?.first?["sessions"] as? [[String: String]]
        return sessions?.first?["state"] ?? ""
    }

    @Test func `a link that falls silent ends BGP long before its hold time, and a whole one brings it back`() throws {
        try #require(try bench.run("lab", "up", "bfd.json").status == 0)
        #expect(try eventually(within: 30, every: 0.2) { try peerState() == "up" && sessionState() == "established" })
        // The hold time is 90 seconds.
        #expect(try bench.run("lab", "link", "hq:ce0--frr:eth0", "set", "loss=100%").status == 0)
        #expect(try eventually(within: 20, every: 0.2) { try peerState() == "down" && sessionState() != "established" })
        #expect(try bench.run("lab", "link", "hq:ce0--frr:eth0", "set", "loss=0").status == 0)
        #expect(try eventually(within: 60, every: 0.2) { try peerState() == "up" && sessionState() == "established" })
        #expect(try bench.run("lab", "down").status == 0)
    }
}
