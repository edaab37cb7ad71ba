import Foundation

struct GoBGPDaemon: PeerDaemon {
    let place: PeerPlace
    var title: String { "GoBGP" }
    private var socket: String { "\(place.folder)/\(place.node).socket" }

    func files(_ terms: PeerTerms) -> [(name: String, text: String)] {
        let families = ["ipv4-unicast", "ipv6-unicast"].map { family in
            """
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "\(family)"
                [neighbors.afi-safis.mp-graceful-restart.config]
                  enabled = true
                [neighbors.afi-safis.add-paths.config]
                  receive = true
                  send-max = 4
            """
        }
        let text = """
            [global.config]
              as = \(place.autonomousSystem)
              router-id = "\(place.address)"
            [[neighbors]]
              [neighbors.config]
                neighbor-address = "\(place.nodeAddress)"
                peer-as = 65001
                auth-password = "\(terms.password)"
              [neighbors.ttl-security.config]
                enabled = \(terms.securesHops)
                ttl-min = 255
              [neighbors.timers.config]
                connect-retry = 1
              [neighbors.graceful-restart.config]
                enabled = true
                restart-time = 60
                deferral-time = 2
            \(families.joined(separator: "\n"))

            """
        return [("gobgp.toml", text)]
    }

    var command: String {
        "gobgpd -f \(place.folder)/gobgp.toml --api-hosts unix://\(socket) --pprof-disable"
    }
    var restartOption: String { "-r" }

    private func client(_ arguments: [String], in lab: PeerLab) throws -> String {
        try lab.enter(place.node, ["/usr/bin/gobgp", "--target", "unix://\(socket)"] + arguments)
    }

    func announce(in lab: PeerLab) throws -> Bool {
        let own = zip(place.prefixes, [("ipv4", place.address), ("ipv6", place.address6)])
        let shared = (1...sharedPathCount).map {
            (PeerPlace.sharedPrefix, "ipv4", place.address, ["identifier", "\($0)"])
        }
        for (prefix, family, nextHop, number) in own.map({ ($0, $1.0, $1.1, [String]()) }) + shared {
            let route =
                ["global", "rib", "add", "-a", family, prefix] + number + [
                    "nexthop", nextHop, "med", "\(PeerPlace.discriminator)", "community", place.community,
                    "large-community", place.largeCommunity,
                ]
            _ = try client(route, in: lab)
            guard try self.route(to: prefix, in: lab) != nil else { return false }
        }
        return true
    }

    private func neighbor(in lab: PeerLab) throws -> [String: Any] {
        let shown = (try? parsed(client(["neighbor", place.nodeAddress, "-j"], in: lab))) ?? [:]
        return shown["state"] as? [String: Any] ?? [:]
    }

    func isUp(in lab: PeerLab) throws -> Bool { try neighbor(in: lab)["session_state"] as? Int == 6 }

    func route(to prefix: String, in lab: PeerLab) throws -> HeardRoute? {
        let family = prefix.contains(":") ? "ipv6" : "ipv4"
        let text = try client(["global", "rib", "-a", family, prefix, "-j"], in: lab)
        let paths = try? JSONSerialization.jsonObject(with: Data(text.utf8))
        let found = paths as? [[String: Any]] ?? (paths as? [String: [[String: Any]]])?[prefix]
        guard let attributes = found?.first?["attrs"] as? [[String: Any]] else { return nil }
        var route = HeardRoute()
        for attribute in attributes {
            switch attribute["type"] as? Int {
            case 4: route.discriminator = attribute["metric"] as? Int
            case 8:
                let numbers = attribute["communities"] as? [Int] ?? []
                route.communities = Set(numbers.map { "\($0 >> 16):\($0 & 0xFFFF)" })
            case 32:
                let values = attribute["value"] as? [[String: Int]] ?? []
                route.largeCommunities = Set(
                    values.map { value in
                        ["ASN", "LocalData1", "LocalData2"].map { "\(value[$0] ?? 0)" }.joined(separator: ":")
                    })
            default: break
            }
        }
        return route
    }

    func pathCount(to prefix: String, in lab: PeerLab) throws -> Int {
        let lines = try client(["neighbor", place.nodeAddress, "adj-in", prefix], in: lab).split(separator: "\n")
        return lines.count { $0.contains(prefix) }
    }

    /// It keeps what it hears, and takes that up again by itself.
    func askAgain(in lab: PeerLab) throws -> Bool { false }

    func updatesHeard(in lab: PeerLab) throws -> Int {
        let messages = try neighbor(in: lab)["messages"] as? [String: Any]
        return (messages?["received"] as? [String: Any])?["update"] as? Int ?? 0
    }

    var watch: (command: String, whenUp: String, whenKept: String)? {
        let client = "gobgp --target unix://\(socket)"
        return ("\(client) neighbor | tail -n 1; \(client) global rib 10.1.0.0/16", "Establ", "*>")
    }
}
