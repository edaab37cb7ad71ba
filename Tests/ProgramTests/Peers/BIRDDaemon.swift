import Foundation

struct BIRDDaemon: PeerDaemon {
    let place: PeerPlace
    /// Whether it is of the node's own AS, and only listens.
    var isInside = false
    var title: String { "BIRD" }
    private var socket: String { "\(place.folder)/\(place.node).socket" }

    func files(_ terms: PeerTerms) -> [(name: String, text: String)] {
        let (own, large) = (numbers(place.community), numbers(place.largeCommunity))
        let security = "password \"\(terms.password)\"; \(terms.securesHops ? "ttl security on;" : "")"
        let text = """
            router id \(place.address);
            protocol device {}
            protocol kernel { ipv4 { export all; }; }
            protocol kernel { ipv6 { export all; }; }
            filter mark {
              bgp_med = \(PeerPlace.discriminator);
              bgp_community.add((\(own)));
              bgp_large_community.add((\(large)));
              accept;
            }
            protocol static { ipv4; route \(place.prefixes[0]) unreachable; }
            \(isInside ? "" : sharedRoutes)
            protocol static { ipv6; route \(place.prefixes[1]) unreachable; }
            protocol bgp hq {
              local \(place.address) as \(isInside ? 65_001 : place.autonomousSystem);
              neighbor \(place.nodeAddress) as 65001;
              \(isInside ? "" : security)
              graceful restart on;
              connect delay time 1; connect retry time 1; error wait time 1, 2;
              ipv4 { import all; export filter mark; add paths on; };
              ipv6 { import all; export filter mark; add paths on; };
            }

            """
        return [("\(place.node).conf", text)]
    }

    /// Two paths to one prefix, of which either may be told.
    private var sharedRoutes: String {
        let route = "protocol static { ipv4; route \(PeerPlace.sharedPrefix) unreachable; }"
        return [route, route].joined(separator: "\n")
    }

    private func numbers(_ community: String) -> String { community.replacing(":", with: ", ") }

    var preparation: String { place.givesHosts }
    var command: String { "/usr/sbin/bird -f -c \(place.folder)/\(place.node).conf -s \(socket)" }
    var restartOption: String { "-R" }

    private func client(_ command: String, in lab: PeerLab) throws -> String {
        try lab.enter(place.node, "/usr/sbin/birdc", "-s", socket, command)
    }

    func isUp(in lab: PeerLab) throws -> Bool {
        try client("show protocols hq", in: lab).contains("Established")
    }

    func route(to prefix: String, in lab: PeerLab) throws -> HeardRoute? {
        let text = try client("show route all \(prefix)", in: lab)
        guard text.contains("[hq") else { return nil }
        func list(_ name: String) -> Set<String> {
            let line = text.split(separator: "\n").first { $0.contains("BGP.\(name): ") } ?? ""
            let found = line.matches(of: #/\(([0-9, ]+)\)/#).map { String($0.output.1) }
            return Set(found.map { $0.replacing(" ", with: "").replacing(",", with: ":") })
        }
        return HeardRoute(
            discriminator: text.firstMatch(of: #/BGP\.med: (\d+)/#).flatMap { Int($0.output.1) },
            communities: list("community"), largeCommunities: list("large_community"))
    }

    func pathCount(to prefix: String, in lab: PeerLab) throws -> Int {
        try client("show route \(prefix) protocol hq", in: lab).matches(of: #/\[hq/#).count
    }

    func askAgain(in lab: PeerLab) throws -> Bool {
        try client("reload in hq", in: lab).contains("reloading")
    }

    func updatesHeard(in lab: PeerLab) throws -> Int {
        try client("show protocols all hq", in: lab)
            .matches(of: #/Import updates: +(\d+)/#).compactMap { Int($0.output.1) }.reduce(0, +)
    }

    var watch: (command: String, whenUp: String, whenKept: String)? {
        let client = "/usr/sbin/birdc -s \(socket)"
        return ("\(client) show protocols hq; \(client) show route 10.1.0.0/16", "Established", "[hq")
    }
}
