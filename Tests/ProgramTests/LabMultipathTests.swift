import Foundation
import Glibc
import TestKit
import Testing

/// A node with two links to a neighbour, in namespaces: what its kernel does with what both sessions tell.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"))
struct LabMultipathTests {
    private static let all = #""routeMapIn": "all", "routeMapOut": "all""#
    private static let topology = """
        {
          "name": "parallel",
          "nodes": {
            "core": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "bgp": { "maximumPaths": 2,
              "neighbors": [{ "address": "192.0.2.2", \(all) }, { "address": "192.0.3.2", \(all) }] } },
            "edge": { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16"] },
            "customer": { "kind": "patronus", "asn": 65003, "lan": ["10.3.0.0/16", "2001:db8:3::/48"], "bgp": {
              "neighbors": [{ "address": "192.0.2.1", \(all) }, { "address": "192.0.3.1", \(all) }] } },
            "isp": { "kind": "router" },
            "far": { "kind": "host", "at": "customer" }
          },
          "links": [
            { "endpoints": ["core:wan", "isp:core"] },
            { "endpoints": ["edge:wan", "isp:edge"] },
            { "endpoints": ["core:ce0", "customer:pe0"], "addresses": ["192.0.2.1/24", "192.0.2.2/24"] },
            { "endpoints": ["core:ce1", "customer:pe1"], "addresses": ["192.0.3.1/24", "192.0.3.2/24"] }
          ],
          "overlay": { "tunnels": [["core", "edge"]] }
        }
        """

    /// The ports by which the core's kernel routes a prefix.
    private func ports(_ family: String, _ prefix: String, _ bench: LabBench) throws -> [String] {
        let words = try bench.run("lab", "exec", "core", "--", "/sbin/ip", family, "route", "show", prefix).output
        return words.matches(of: #/dev (\S+)/#).map { String($0.output.1) }
    }

    @Test func `the kernel spreads flows over both links, and over one while the other has no carrier`() throws {
        let bench = try LabBench()
        try bench.workspace.write(Self.topology, to: "topology.json")
        let up = try bench.run("lab", "up", "topology.json")
        try #require(up.status == 0, "\(up.errors)")
        // A session that failed a few times while its link was down waits for up to a minute (RFC 4271 §8.1.1).
        func leads(_ wanted: [String]) throws -> Bool {
            try eventually(within: 90, every: 0.2) {
                try ports("-4", "10.3.0.0/16", bench) == wanted && ports("-6", "2001:db8:3::/48", bench) == wanted
            }
        }
        #expect(try leads(["ce0", "ce1"]))
        let policy = "/proc/sys/net/ipv4/fib_multipath_hash_policy"
        #expect(try bench.run("lab", "exec", "core", "--", "/bin/cat", policy).output == "1\n")
        #expect(try bench.run("lab", "exec", "customer", "--", "/bin/cat", policy).output == "0\n")
        for (link, other) in [("core:ce0--customer:pe0", "ce1"), ("core:ce1--customer:pe1", "ce0")] {
            #expect(try bench.run("lab", "link", link, "down").status == 0)
            #expect(try leads([other]))
            #expect(try bench.run("lab", "link", link, "up").status == 0)
            #expect(try leads(["ce0", "ce1"]))
        }
        #expect(try bench.run("lab", "down").status == 0)
    }
}
