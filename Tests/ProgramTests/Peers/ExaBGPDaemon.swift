import Foundation

/// Has no table: what it hears, it says to a process of its user's, a line of JSON for each message.
struct ExaBGPDaemon: PeerDaemon {
    let place: PeerPlace
    var title: String { "ExaBGP" }
    private var heard: String { "\(place.folder)/exabgp.heard" }
    private var orders: String { "\(place.folder)/exabgp.orders" }

    func files(_ terms: PeerTerms) -> [(name: String, text: String)] {
        let marks =
            "med \(PeerPlace.discriminator) community [\(place.community)] large-community [\(place.largeCommunity)]"
        let process = "exec 3<&0; cat <&3 >> \(heard) & exec tail --pid=$PPID -n 0 -f \(orders)"
        let text = """
            process watch { run /bin/sh -c "\(process)"; encoder json; }
            neighbor \(place.nodeAddress) {
              router-id \(place.address); local-address \(place.address);
              local-as \(place.autonomousSystem); peer-as 65001;
              md5-password \(terms.password); md5-base64 false;
              \(terms.securesHops ? "outgoing-ttl 255; incoming-ttl 255;" : "")
              capability { graceful-restart 60; route-refresh enable; add-path send/receive; }
              family { ipv4 unicast; ipv6 unicast; }
              api { processes [ watch ]; neighbor-changes; receive { parsed; update; } }
              static {
                route \(place.prefixes[0]) next-hop \(place.address) \(marks);
                route \(place.prefixes[1]) next-hop \(place.address6) \(marks);
                route \(PeerPlace.sharedPrefix) next-hop \(place.address) path-information 0.0.0.1 \(marks);
                route \(PeerPlace.sharedPrefix) next-hop \(place.address) path-information 0.0.0.2 \(marks);
              }
            }

            """
        return [("exabgp.conf", text)]
    }

    var preparation: String { "\(place.givesHosts); \(place.givesRoutes); touch \(orders) \(heard)" }
    var command: String {
        "env exabgp.daemon.user=root exabgp.api.cli=false exabgp.tcp.bind= /usr/sbin/exabgp \(place.folder)/exabgp.conf"
    }

    private func messages() -> [[String: Any]] {
        let text = (try? String(contentsOfFile: heard, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { (try? parsed(String($0)))?["neighbor"] as? [String: Any] }
    }

    func isUp(in lab: PeerLab) throws -> Bool {
        messages().compactMap { $0["state"] as? String }.last == "up"
    }

    private var updates: [[String: Any]] {
        messages().compactMap { ($0["message"] as? [String: Any])?["update"] as? [String: Any] }
    }

    func route(to prefix: String, in lab: PeerLab) throws -> HeardRoute? {
        for update in updates.reversed() {
            let told = (update["announce"] as? [String: [String: [[String: Any]]]] ?? [:]).values.flatMap(\.values)
            guard told.joined().contains(where: { $0["nlri"] as? String == prefix }),
                let attributes = update["attribute"] as? [String: Any]
            else { continue }
            func list(_ key: String) -> Set<String> {
                let values = attributes[key] as? [[Int]] ?? []
                return Set(values.map { $0.map(String.init).joined(separator: ":") })
            }
            return HeardRoute(
                discriminator: attributes["med"] as? Int, communities: list("community"),
                largeCommunities: list("large-community"))
        }
        return nil
    }

    func pathCount(to prefix: String, in lab: PeerLab) throws -> Int {
        let told = updates.flatMap { update in
            (update["announce"] as? [String: [String: [[String: Any]]]] ?? [:]).values.flatMap(\.values).joined()
        }
        return Set(told.filter { $0["nlri"] as? String == prefix }.compactMap { $0["path-information"] as? String })
            .count
    }

    func askAgain(in lab: PeerLab) throws -> Bool {
        let file = try FileHandle(forWritingTo: URL(filePath: orders))
        try file.seekToEnd()
        try file.write(contentsOf: Data("announce route-refresh ipv4 unicast\n".utf8))
        try file.close()
        return true
    }

    func updatesHeard(in lab: PeerLab) throws -> Int { updates.count }

    var watch: (command: String, whenUp: String, whenKept: String)? { nil }
}
