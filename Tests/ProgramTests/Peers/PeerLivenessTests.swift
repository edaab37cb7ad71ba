import Glibc
import TestKit
import Testing

/// BFD between the node and FRR's `bfdd`, over one link (RFC 5881).
@Suite(
    .serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"),
    .enabled(if: access("/usr/lib/frr/bfdd", X_OK) == 0, "FRR is not installed: scripts/bootstrap.sh"))
struct PeerLivenessTests {
    private let lab: FRRLab

    init() throws {
        lab = try FRRLab(
            bgp: " neighbor 192.0.2.1 timers 30 90\n neighbor 192.0.2.1 bfd",
            bfd: " peer 192.0.2.1\n  receive-interval 100\n  transmit-interval 100")
        try lab.start(
            """
            "neighbors": [
              { "node": "frr", "asn": 65100, "routeMapIn": "all", "routeMapOut": "all",
                "bfd": { "interval": "100ms" }, "timers": { "connectRetry": "1s" } } ]
            """)
    }

    private func isAlive() throws -> Bool {
        (try lab.show("bfd peers") as? [[String: Any]])?.first?["status"] as? String == "up"
    }

    private func stands() throws -> Bool { try lab.sessions()["frr"] == "established" }

    @Test func `a link that falls silent ends BGP long before its hold time, and a whole one brings it back`() throws {
        #expect(try eventually(within: 30, every: 0.2) { try isAlive() && stands() })
        // The hold time is 90 seconds.
        #expect(try lab.bench.run("lab", "link", "hq:ce0--frr:eth0", "set", "loss=100%").status == 0)
        #expect(try eventually(within: 20, every: 0.2) { try !isAlive() && !stands() })
        #expect(try lab.bench.run("lab", "link", "hq:ce0--frr:eth0", "set", "loss=0").status == 0)
        #expect(try eventually(within: 60, every: 0.2) { try isAlive() && stands() })
        #expect(try lab.bench.run("lab", "down").status == 0)
    }
}
