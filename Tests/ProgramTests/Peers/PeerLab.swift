import Foundation
import TestKit

/// Two sites, one of which has the daemons for neighbours, and a collector of its own AS that hears what it keeps.
final class PeerLab {
    private let bench: LabBench
    var workspace: Workspace { bench.workspace }
    let daemons: [any PeerDaemon]
    let collector: BIRDDaemon
    /// How often each had been started when it was killed last.
    private var startsBefore: [String: Int] = [:]

    static let programs = [
        "/usr/lib/frr/bgpd", "/usr/lib/frr/zebra", "/usr/sbin/bird", "/usr/bin/gobgpd", "/usr/sbin/exabgp",
    ]

    init() throws {
        bench = try LabBench()
        let folder = bench.workspace.path
        func place(_ index: Int, _ node: String) -> PeerPlace { PeerPlace(index: index, node: node, folder: folder) }
        daemons = [
            FRRouting(place: place(0, "frr")), BIRDDaemon(place: place(1, "bird")),
            GoBGPDaemon(place: place(2, "gobgp")), ExaBGPDaemon(place: place(3, "exabgp")),
        ]
        collector = BIRDDaemon(place: place(4, "collector"), isInside: true)
        try FRRouting.makeFolder(in: workspace)
        for daemon in daemons + [collector] { try write(daemon, PeerTerms()) }
        try workspace.write(topology(), to: "peers.json")
    }

    private func write(_ daemon: any PeerDaemon, _ terms: PeerTerms) throws {
        for (name, text) in daemon.files(terms) { try workspace.write(text, to: name) }
    }

    /// The topology; with `watched`, daemons' namespaces write down again and again what they know.
    func topology(watched: Bool = false) throws -> String {
        let neighbors = daemons.map { daemon in
            """
            { "node": "\(daemon.place.node)", "asn": \(daemon.place.autonomousSystem), "password": "secret",
              "ttlSecurity": 1, "routeMapIn": "all", "routeMapOut": "marked", "gracefulRestart": "60s",
              "addPath": "both", "timers": { "connectRetry": "1s" } }
            """
        }
        let own = """
            { "node": "collector", "asn": 65001, "routeMapIn": "all", "routeMapOut": "all", "nextHopSelf": true,
              "timers": { "connectRetry": "1s" } }
            """
        let nodes = try (daemons + [collector]).map { daemon in
            var commands = daemon.companions + [daemon.loop]
            if watched, let watch = daemon.watch {
                let file = workspace.url("\(daemon.place.node).watch").path
                commands.append("while sleep 0.3; do echo $(\(watch.command)); done > \(file) 2>&1")
            }
            let list = String(decoding: try JSONEncoder().encode(commands), as: UTF8.self)
            return "\"\(daemon.place.node)\": { \"kind\": \"linux\", \"exec\": \(list) }"
        }
        let links = (daemons + [collector]).map { daemon in
            let place = daemon.place
            return """
                { "endpoints": ["hq:ce\(place.index)", "\(place.node):eth0"],
                  "addresses": ["\(place.nodeAddress)/31", "\(place.address)/31"] }
                """
        }
        return """
            {
              "name": "peers",
              "nodes": {
                "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16", "2001:db8:1::/48"],
                  "bgp": {
                    "routeMaps": [ { "name": "marked", "rules": [
                      { "sequence": 10, "action": "permit", "set": { "med": 70, "community": "65001:100" } } ] } ],
                    "neighbors": [ \((neighbors + [own]).joined(separator: ", ")) ] } },
                "branch": { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16", "2001:db8:2::/48"] },
                "isp": { "kind": "router" },
                "server": { "kind": "host", "at": "hq" },
                "laptop": { "kind": "host", "at": "branch" },
                \(nodes.joined(separator: ", "))
              },
              "links": [
                \(links.joined(separator: ", ")),
                { "endpoints": ["hq:wan-a", "isp"], "rate": "100Mbit", "delay": "5ms" },
                { "endpoints": ["branch:wan-a", "isp"], "rate": "100Mbit", "delay": "5ms" }
              ],
              "overlay": { "tunnels": "full-mesh", "encryption": "none" }
            }
            """
    }

    func run(_ arguments: String...) throws -> Outcome { try bench.start(arguments).outcome() }

    /// What a program says in a node's namespace; the empty text if it fails.
    func enter(_ node: String, _ words: String...) throws -> String { try enter(node, words) }

    func enter(_ node: String, _ words: [String]) throws -> String {
        let outcome = try bench.start(["lab", "exec", node, "--"] + words).outcome()
        return outcome.status == 0 ? outcome.output : ""
    }

    /// The state of each session of the node with the daemons.
    func sessions() throws -> [String: String] {
        let text = try run("lab", "inspect", "hq", "--json").output
        let states = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        let sessions = states?.first?["sessions"] as? [[String: String]] ?? []
        return Dictionary(sessions.map { ($0["peer"] ?? "", $0["state"] ?? "") }) { $1 }
    }

    /// Whether both ends take a session for established.
    func isUp(_ daemon: any PeerDaemon) throws -> Bool {
        try sessions()[daemon.place.node] == "established" && daemon.isUp(in: self)
    }

    /// Whether the kernel of a node routes all of the prefixes.
    func routes(_ prefixes: [String], at node: String) throws -> Bool {
        try prefixes.allSatisfy { prefix in
            let family = prefix.contains(":") ? "-6" : "-4"
            return try !enter(node, "/bin/ip", family, "route", "show", prefix).isEmpty
        }
    }

    func answers(_ hosts: [String]) throws -> Bool {
        try hosts.allSatisfy { try !enter("laptop", "/bin/ping", "-c", "1", "-W", "2", $0).isEmpty }
    }

    // MARK: Daemons that end and start

    /// How often a daemon has been started; 0 while it is away.
    private func starts(of daemon: any PeerDaemon) -> Int {
        let text = try? workspace.text("\(daemon.place.node).starts")
        return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0
    }

    /// Kills a daemon, which stays away until it is let go on.
    func kill(_ daemon: any PeerDaemon) throws {
        startsBefore[daemon.place.node] = starts(of: daemon)
        try workspace.write("", to: "\(daemon.place.node).hold")
        _ = eventually(within: 10, every: 0.05) { starts(of: daemon) == 0 }
    }

    /// Lets a daemon that was killed go on, on these terms.
    func letGoOn(_ daemon: any PeerDaemon, _ terms: PeerTerms = PeerTerms()) throws {
        try write(daemon, terms)
        try FileManager.default.removeItem(at: workspace.url("\(daemon.place.node).hold"))
    }

    /// Whether a daemon runs that has been started since the last was killed.
    func runs(_ daemon: any PeerDaemon) -> Bool {
        let count = starts(of: daemon)
        return count > 0 && count != startsBefore[daemon.place.node]
    }

    /// What the headquarters' kernel has counted of TCP.
    func counter(_ name: String) throws -> Int {
        let lines = try enter("hq", "/bin/cat", "/proc/net/netstat").split(separator: "\n").map {
            $0.split(separator: " ")
        }
        guard lines.count > 1, let column = lines[0].firstIndex(of: Substring(name)) else { return 0 }
        return Int(lines[1][column]) ?? 0
    }
}
