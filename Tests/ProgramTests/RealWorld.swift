import Foundation
import Glibc
import LinuxSystem
import TestKit
import Testing

/// A machine with cards that have a past, another machine, two providers and a host behind each machine.
///
/// All of it lies in namespaces that go with this value; the machines' cards are veths whose other ends lie elsewhere.
final class RealWorld {
    /// One of the namespaces, by what stands in it.
    enum Place: Int, CaseIterable {
        case branch, hq, ispA, ispB, laptop, server, office
    }

    let workspace: Workspace
    private let namespaces: [NamespaceBox]
    private var stubs: [StubBox] = []
    private var started: [RunningProgram] = []

    private final class NamespaceBox {
        let namespace: NetworkNamespace

        init() throws { namespace = try NetworkNamespace() }
    }

    private final class StubBox {
        let veth: PreparedVeth

        init(_ veth: consuming PreparedVeth) { self.veth = veth }
    }

    static let isPossible: Bool = {
        guard geteuid() == 0, access(ip, X_OK) == 0, access("/dev/net/tun", R_OK | W_OK) == 0 else { return false }
        return (try? NetworkNamespace()) != nil
    }()
    static let reason = "needs root, ip (iproute2), network namespaces, veth and TUN"
    private static let ip = "/usr/sbin/ip"

    /// `dataplane` has the topology's nodes run the XDP program, `ipv6` gives their LANs IPv6 too.
    init(dataplane: Bool = false, ipv6: Bool = false) throws {
        workspace = try Workspace()
        namespaces = try Place.allCases.map { _ in try NamespaceBox() }
        let overlay = #""probeInterval": "100ms", "dataplane": \#(dataplane)"#
        var topology = Fixture.topology.replacingOccurrences(of: #""probeInterval": "100ms""#, with: overlay)
        for site in ipv6 ? [1, 2] : [] {
            topology.replace(#""10.\#(site).0.0/16""#, with: #""10.\#(site).0.0/16", "2001:db8:\#(site)00::/48""#)
        }
        try workspace.write(topology, to: "topology.json")
        for place in Place.allCases {
            // Nobody waits to see whether an address is free.
            try namespace(place) { try $0.setParameter("ipv6/conf/default/accept_dad", to: "0") }
            try ip(place, "link set lo up")
        }
        try join(.branch, "eth0", .office, "eth0")
        try join(.branch, "eth1", .ispA, "branch")
        try join(.branch, "eth2", .ispB, "branch")
        try join(.branch, "eth3", .laptop, "eth0")
        try join(.hq, "eth1", .ispA, "hq")
        try join(.hq, "eth2", .ispB, "hq")
        try join(.hq, "eth3", .server, "eth0")
        try configureRest()
        try giveBranchItsPast()
        for (card, peer) in [("eth1", Place.ispA), ("eth2", .ispB), ("eth3", .laptop)] {
            try prepare(.branch, card, peer)
        }
        for (card, peer) in [("eth1", Place.ispA), ("eth2", .ispB), ("eth3", .server)] { try prepare(.hq, card, peer) }
        let hasSettled = try eventually {
            try ["eth0", "eth1", "eth3"].allSatisfy { card in
                let text = try ip(.branch, "addr show \(card)")
                return text.contains("state UP") && text.contains("inet6 fe80")
            }
        }
        try #require(hasSettled)
    }

    deinit {
        for program in started { program.end() }
    }

    private func join(_ first: Place, _ name: String, _ second: Place, _ other: String) throws {
        try namespace(first) { first in
            try namespace(second) { second in
                var routes = try RouteSocket(in: first)
                try routes.change { $0.createVeth(VethEnd(name), peer: VethEnd(other), in: second) }
            }
        }
    }

    /// A veth's other end has to be ready for what a data plane sends.
    private func prepare(_ place: Place, _ card: String, _ peer: Place) throws {
        try namespace(place) { near in
            try namespace(peer) { far in
                var routes = try RouteSocket(in: near)
                let index = try routes.existingLink(.named(card)).index
                stubs.append(StubBox(try PreparedVeth(index, in: near, peerIn: far, leastMTU: 1_400)))
            }
        }
    }

    private func configureRest() throws {
        for (place, branch, hq) in [
            (Place.ispA, "100.64.0.1/31", "100.64.0.5/31"), (.ispB, "100.64.0.3/31", "100.64.0.7/31"),
        ] {
            try namespace(place) { try $0.setParameter("ipv4/ip_forward", to: "1") }
            try ip(place, "addr add \(branch) dev branch")
            try ip(place, "addr add \(hq) dev hq")
            try ip(place, "link set branch up")
            try ip(place, "link set hq up")
        }
        for (place, address, gateway) in [
            (Place.laptop, "10.2.0.10/16", "10.2.0.1"), (.server, "10.1.0.10/16", "10.1.0.1"),
        ] {
            try ip(place, "addr add \(address) dev eth0")
            try ip(place, "link set eth0 up")
            try ip(place, "route add default via \(gateway)")
        }
        try ip(.office, "addr add 192.168.7.1/24 dev eth0")
        try ip(.office, "link set eth0 up")
    }

    /// What has to be given back: several addresses, labels, routes of several tables, a card that is down.
    private func giveBranchItsPast() throws {
        for command in [
            "addr add 192.168.7.2/24 dev eth0", "link set eth0 up", "route add default via 192.168.7.1",
            "link set eth1 mtu 1400", "link set eth1 up",
            "addr add 203.0.113.7/24 broadcast 203.0.113.255 label eth1:old dev eth1",
            "addr add 203.0.113.8/24 dev eth1", "addr add 203.0.113.9/32 peer 198.51.100.1/32 dev eth1",
            "addr add 2001:db8:1::7/64 dev eth1", "addr add 2001:db8:1::8/64 dev eth1 preferred_lft 0",
            "route add 198.18.0.0/15 via 203.0.113.1 dev eth1 metric 50 mtu 1300 src 203.0.113.8",
            "route add 198.18.0.0/15 via 203.0.113.2 dev eth1 metric 60 table 77",
            "route add 100.64.0.4/32 via 192.168.7.1 src 203.0.113.7 metric 7",
            "route add 192.0.2.128/25 nexthop via 203.0.113.3 weight 2 nexthop via 192.168.7.1",
            "-6 route add 2001:db8:9::/48 via 2001:db8:1::1 dev eth1 metric 9",
            // What has never been up has no queue yet, and has one for ever after.
            "addr add 192.0.2.9/28 dev eth2", "link set eth2 up", "link set eth2 down", "link set eth3 up",
        ] { try ip(.branch, command) }
        try namespace(.branch) { namespace in
            for (name, value) in [
                ("ipv4/conf/eth1/rp_filter", "1"), ("ipv4/conf/eth1/arp_ignore", "2"),
                ("ipv4/conf/eth3/forwarding", "1"), ("ipv6/conf/eth2/disable_ipv6", "1"),
                ("ipv6/conf/eth3/accept_ra", "2"),
            ] { try namespace.setParameter(name, to: value) }
        }
    }

    func namespace<Value>(
        _ place: Place, _ body: (borrowing NetworkNamespace) throws -> Value
    ) rethrows -> Value {
        try body(namespaces[place.rawValue].namespace)
    }

    /// Runs something on a thread inside a namespace.
    func inside<Value>(_ place: Place, _ body: () throws -> Value) throws -> Value {
        var result: Result<Value, any Error>?
        try namespace(place) { namespace in
            try namespace.perform { () throws(SystemError) in result = Result { try body() } }
        }
        return try #require(result).get()
    }

    /// Starts the program in a namespace.
    func start(
        _ place: Place, _ arguments: [String], environment: [String: String] = [:], through wrapper: [String] = []
    ) throws -> RunningProgram {
        let variables = ["PATRONUS_STATE": workspace.url("state").path].merging(environment) { $1 }
        let program = try inside(place) {
            try workspace.start(arguments, environment: variables, through: wrapper)
        }
        started.append(program)
        return program
    }

    func run(
        _ place: Place, _ arguments: String..., environment: [String: String] = [:], through wrapper: [String] = []
    ) throws -> Outcome {
        try start(place, arguments, environment: environment, through: wrapper).outcome()
    }

    /// What a program is started through so that its kernel seems to have no `force_forwarding` (before Linux 6.17).
    func olderKernel() throws -> [String] {
        try FileManager.default.createDirectory(at: workspace.url("conf"), withIntermediateDirectories: false)
        let conf = "/proc/sys/net/ipv6/conf"
        let words = """
            mount --bind \(conf) \(workspace.url("conf").path) && mount -t tmpfs none \(conf) || exit 1
            for folder in \(workspace.url("conf").path)/*; do
                mkdir \(conf)/${folder##*/} && ln -s $folder/* \(conf)/${folder##*/}
            done
            rm \(conf)/*/force_forwarding; exec "$@"
            """
        return ["/usr/bin/unshare", "-m", "/bin/sh", "-c", words, "sh"]
    }

    /// Has a router across a card say that it leads everywhere, for half an hour (RFC 4861 §4.2).
    func announceRouter(_ place: Place, _ card: String) throws {
        try inside(place) {
            let number = socket(AF_INET6, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_ICMPV6))
            defer { close(number) }
            var (hops, index): (Int32, UInt32) = (255, if_nametoindex(card))
            setsockopt(number, Int32(IPPROTO_IPV6), IPV6_MULTICAST_HOPS, &hops, 4)
            setsockopt(number, Int32(IPPROTO_IPV6), IPV6_MULTICAST_IF, &index, 4)
            var all = sockaddr_in6()
            all.sin6_family = sa_family_t(AF_INET6)
            inet_pton(AF_INET6, "ff02::1", &all.sin6_addr)
            // The kernel writes the sum; 0x708 is half an hour in seconds.
            let advertisement: [UInt8] = [134, 0, 0, 0, 64, 0, 0x07, 0x08] + Array(repeating: 0, count: 8)
            let sent = withUnsafePointer(to: &all) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(
                        number, advertisement, advertisement.count, 0, $0,
                        socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
            try #require(sent == advertisement.count)
        }
    }

    static let ports = ["--port", "wan-a=eth1", "--port", "wan-b=eth2", "--port", "lan0=eth3"]

    /// Starts the node that belongs to a place, as it is meant to be.
    func startNode(
        _ place: Place, _ more: [String] = [], environment: [String: String] = [:], through wrapper: [String] = []
    ) throws -> RunningProgram {
        try start(
            place, ["node", "topology.json", "--name", "\(place)", "--real"] + Self.ports + more,
            environment: environment, through: wrapper)
    }

    /// What a node says of itself; nil where it does not answer.
    func state(_ place: Place) throws -> [String: Any]? {
        let outcome = try run(place, "node", "--inspect", "--json", "--name", "\(place)")
        return outcome.status == 0 ? try parsed(outcome.output) : nil
    }

    /// The tunnels of a node that are up, by name.
    func upTunnels(_ place: Place) throws -> [String] {
        let node = try state(place)?["node"] as? [String: Any]
        let tunnels = node?["tunnels"] as? [[String: Any]] ?? []
        return tunnels.filter { $0["state"] as? String == "up" }.compactMap { $0["name"] as? String }.sorted()
    }

    /// How the data plane is attached to each of a node's ports.
    func modes(_ place: Place) throws -> [String] {
        (try state(place)?["ports"] as? [[String: Any]] ?? []).compactMap { $0["xdp"] as? String }
    }

    /// Everything that taking a machine's cards may change, as others than the program under test see it.
    func snapshot(_ place: Place = .branch) throws -> String {
        var parts: [String] = []
        for command in ["addr", "-4 route show table all", "-6 route show table all", "rule", "-6 rule"] {
            parts.append("# ip \(command)\n" + (try ip(place, command)))
        }
        parts.append(try parameters(place))
        return parts.joined(separator: "\n")
    }

    /// The parameters of all interfaces.
    func parameters(_ place: Place = .branch) throws -> String { try inside(place) { Self.parameters() } }

    /// Those of the namespace of the calling thread.
    private static func parameters() -> String {
        var lines: [String] = []
        for family in ["ipv4", "ipv6"] {
            let root = "/proc/sys/net/\(family)"
            for path in (try? FileManager.default.subpathsOfDirectory(atPath: "\(root)/conf")) ?? [] {
                guard !path.hasSuffix("stable_secret"), !path.contains("patronus0") else { continue }
                guard let text = try? String(contentsOfFile: "\(root)/conf/\(path)", encoding: .utf8) else { continue }
                lines.append("\(family)/\(path) = \(text.trimmingCharacters(in: .whitespacesAndNewlines))")
            }
        }
        return lines.sorted().joined(separator: "\n")
    }

    /// Runs `ip` in a namespace.
    @discardableResult
    func ip(_ place: Place, _ arguments: String) throws -> String {
        try inside(place) {
            // A child is where the thread is that starts it.
            guard let stream = popen("\(Self.ip) \(arguments) 2>&1", "r") else { throw SpawnError(text: "popen") }
            var text: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = fread(&piece, 1, piece.count, stream)
                guard count > 0 else { break }
                text += piece.prefix(count)
            }
            let words = String(decoding: text, as: UTF8.self)
            guard pclose(stream) == 0 else { throw SpawnError(text: "ip \(arguments): \(words)") }
            return words
        }
    }

    /// The lines of a node's journal.
    func journalLines(_ node: String) -> Int {
        (try? workspace.text("state/real/\(node)/journal"))?.split(separator: "\n").count ?? 0
    }
}
