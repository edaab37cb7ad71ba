import Foundation
import Glibc
import Testing

/// A lab of a node, "hq", and FRR at the other end of a link, and what either says of their session.
struct FRRLab {
    let bench: LabBench
    private let folder: String
    private let daemons: [String]

    /// FRR calls the node every second, and does what these lines of its configuration say besides.
    init(bgp: String, bfd: String? = nil) throws {
        bench = try LabBench()
        folder = bench.workspace.url("frr").path
        try FRRouting.makeFolder(in: bench.workspace)
        let lines = """
            hostname frr
            router bgp 65100
             bgp router-id 192.0.2.2
             no bgp ebgp-requires-policy
             no bgp network import-check
             neighbor 192.0.2.1 remote-as 65001
             neighbor 192.0.2.1 timers connect 1
            \(bgp)

            """
        try bench.workspace.write(lines, to: "frr/bgpd.conf")
        if let bfd { try bench.workspace.write("bfd\n\(bfd)\n", to: "frr/bfdd.conf") }
        daemons = bfd == nil ? ["bgpd"] : ["bfdd", "bgpd"]
    }

    /// Brings the lab up, in which the node's `bgp` key has these words.
    func start(_ words: String) throws {
        let wait = "while [ ! -S \(folder)/zserv ]; do sleep 0.1; done; exec "
        let commands =
            [FRRouting.daemon("zebra", "-f /dev/null", in: folder)]
            + daemons.map { name in
                let socket = name == "bfdd" ? " --bfdctl \(folder)/bfdd.control" : ""
                return wait + FRRouting.daemon(name, "-f \(folder)/\(name).conf\(socket)", in: folder)
            }
        let list = String(decoding: try JSONEncoder().encode(commands), as: UTF8.self)
        let topology = """
            {
              "name": "frr",
              "nodes": {
                "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16", "10.2.0.0/16"], "bgp": { \(words) } },
                "frr": { "kind": "linux", "exec": \(list) },
                "server": { "kind": "host", "at": "hq" }
              },
              "links": [ { "endpoints": ["hq:ce0", "frr:eth0"], "addresses": ["192.0.2.1/30", "192.0.2.2/30"] } ],
              "overlay": { "tunnels": "full-mesh", "encryption": "none" }
            }
            """
        try bench.workspace.write(topology, to: "frr.json")
        let outcome = try bench.run("lab", "up", "frr.json")
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    /// What FRR shows as JSON; nil where it does not answer yet.
    func show(_ words: String) throws -> Any? {
        let outcome = try bench.run(
            "lab", "exec", "frr", "--", "/usr/bin/vtysh", "--vty_socket", folder, "-c", "show \(words) json")
        return try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    }

    /// What FRR says of its session with the node.
    func neighbor() throws -> [String: Any] {
        (try show("bgp neighbors") as? [String: Any])?["192.0.2.1"] as? [String: Any] ?? [:]
    }

    /// Whether FRR says that the session stands.
    func isUp() throws -> Bool { try neighbor()["bgpState"] as? String == "Established" }

    /// The states of the node's sessions, by their names.
    func sessions() throws -> [String: String] { try bench.sessions(of: "hq") }
}
