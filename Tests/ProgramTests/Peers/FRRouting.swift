import Foundation
import Glibc

struct FRRouting: PeerDaemon {
    let place: PeerPlace
    var title: String { "FRR" }
    private var folder: String { "\(place.folder)/frr" }

    func files(_ terms: PeerTerms) -> [(name: String, text: String)] {
        let prefixes = place.prefixes
        let text = """
            hostname frr
            router bgp \(place.autonomousSystem)
             bgp router-id \(place.address)
             bgp graceful-restart
             bgp graceful-restart preserve-fw-state
             no bgp ebgp-requires-policy
             no bgp network import-check
             neighbor \(place.nodeAddress) remote-as 65001
             neighbor \(place.nodeAddress) password \(terms.password)
             \(terms.securesHops ? "neighbor \(place.nodeAddress) ttl-security hops 1" : "")
             neighbor \(place.nodeAddress) timers connect 1
             address-family ipv4 unicast
              network \(prefixes[0]) route-map mark
              network \(PeerPlace.sharedPrefix) route-map mark
              neighbor \(place.nodeAddress) addpath-tx-all-paths
             exit-address-family
             address-family ipv6 unicast
              neighbor \(place.nodeAddress) activate
              network \(prefixes[1]) route-map mark
             exit-address-family
            route-map mark permit 10
             set metric \(PeerPlace.discriminator)
             set community \(place.community)
             set large-community \(place.largeCommunity)

            """
        return [("frr/bgpd.conf", text)]
    }

    /// Without zebra's word on the addresses, bgpd tells next hops that are nowhere.
    var preparation: String {
        "\(place.givesHosts); while [ ! -S \(folder)/zserv ]; do sleep 0.1; done; sleep 1"
    }
    var companions: [String] { [daemon("zebra", "-f /dev/null")] }
    var command: String { daemon("bgpd", "-f \(folder)/bgpd.conf") }

    private func daemon(_ name: String, _ options: String) -> String {
        Self.daemon(name, options, in: folder)
    }

    /// What starts one of FRR's programs, with all that it makes in a folder.
    static func daemon(_ name: String, _ options: String, in folder: String) -> String {
        "/usr/lib/frr/\(name) -u frr -g frr \(options) -i \(folder)/\(name).pid -z \(folder)/zserv "
            + "--vty_socket \(folder) -P 0"
    }

    /// Makes the folder `frr`; what FRR's daemons make there, they make as their own user.
    static func makeFolder(in workspace: Workspace) throws {
        let folder = workspace.url("frr")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        for path in [workspace.path, folder.path] { chmod(path, 0o755) }
        let user = getpwnam("frr")?.pointee
        chown(folder.path, user?.pw_uid ?? 0, user?.pw_gid ?? 0)
    }

    private func show(_ command: String, in lab: PeerLab) throws -> [String: Any] {
        let text = try lab.enter(place.node, "/usr/bin/vtysh", "--vty_socket", folder, "-c", "show bgp \(command) json")
        return (try? parsed(text)) ?? [:]
    }

    private func neighbor(in lab: PeerLab) throws -> [String: Any] {
        try show("neighbors", in: lab)[place.nodeAddress] as? [String: Any] ?? [:]
    }

    func isUp(in lab: PeerLab) throws -> Bool {
        try neighbor(in: lab)["bgpState"] as? String == "Established"
    }

    func route(to prefix: String, in lab: PeerLab) throws -> HeardRoute? {
        let family = prefix.contains(":") ? "ipv6" : "ipv4"
        let shown = try show("\(family) unicast \(prefix)", in: lab)
        guard let path = (shown["paths"] as? [[String: Any]])?.first else { return nil }
        func list(_ key: String) -> Set<String> {
            Set((path[key] as? [String: Any])?["list"] as? [String] ?? [])
        }
        return HeardRoute(
            discriminator: path["metric"] as? Int, communities: list("community"),
            largeCommunities: list("largeCommunity"))
    }

    /// A table of its own has one path to each prefix.
    var sharedPathCount: Int { 1 }

    func pathCount(to prefix: String, in lab: PeerLab) throws -> Int {
        let paths = try show("ipv4 unicast \(prefix)", in: lab)["paths"] as? [[String: Any]] ?? []
        return paths.count { ($0["peer"] as? [String: Any])?["peerId"] as? String == place.nodeAddress }
    }

    func askAgain(in lab: PeerLab) throws -> Bool {
        _ = try lab.enter(place.node, "/usr/bin/vtysh", "--vty_socket", folder, "-c", "clear bgp * soft in")
        return true
    }

    func updatesHeard(in lab: PeerLab) throws -> Int {
        (try neighbor(in: lab)["messageStats"] as? [String: Any])?["updatesRecv"] as? Int ?? 0
    }

    var watch: (command: String, whenUp: String, whenKept: String)? {
        let shell = "vtysh --vty_socket \(folder)"
        let route = "show bgp ipv4 unicast 10.1.0.0/16 json"
        return (
            "\(shell) -c 'show bgp neighbors json' -c '\(route)' | grep -E 'bgpState|prefix'",
            "Established", #""prefix""#
        )
    }
}
