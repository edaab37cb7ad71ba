import Foundation

/// Where one of the daemons lives in the lab, and what it announces there.
struct PeerPlace {
    /// The link's number, from 0.
    let index: Int
    /// The name of its node.
    let node: String
    /// Where its files are.
    let folder: String

    var autonomousSystem: Int { 65_101 + index }
    var address: String { "192.0.2.\(2 * index + 1)" }
    var nodeAddress: String { "192.0.2.\(2 * index)" }
    var address6: String { "fd64:0:0:\(index + 1)::1" }
    var nodeAddress6: String { "fd64:0:0:\(index + 1)::" }
    var prefixes: [String] { ["172.16.\(index + 1).0/24", "2001:db8:10\(index + 1)::/48"] }
    var hosts: [String] { ["172.16.\(index + 1).1", "2001:db8:10\(index + 1)::1"] }
    var community: String { "\(autonomousSystem):7" }
    var largeCommunity: String { "\(autonomousSystem):1:2" }
    static var discriminator: Int { 40 }
    /// What all daemons announce, each by paths of its own.
    static var sharedPrefix: String { "172.31.0.0/24" }

    /// What it takes that its hosts answer, in the shell's words.
    var givesHosts: String {
        "ip addr add \(hosts[0])/24 dev lo; ip addr add \(hosts[1])/48 dev lo"
    }

    /// The way back to the sites, for a daemon that installs no routes.
    var givesRoutes: String {
        "ip route add 10.0.0.0/8 via \(nodeAddress); ip route add 2001:db8::/32 via \(nodeAddress6)"
    }
}

/// What the two ends of a session have to agree on.
struct PeerTerms {
    var password = "secret"
    var securesHops = true
}

/// A route as a speaker tells it.
struct HeardRoute: Equatable {
    var discriminator: Int?
    var communities: Set<String> = []
    var largeCommunities: Set<String> = []
}

/// Somebody else's BGP speaker, in a namespace of a lab.
protocol PeerDaemon {
    var title: String { get }
    var place: PeerPlace { get }
    /// What it reads, by the name below its folder.
    func files(_ terms: PeerTerms) -> [(name: String, text: String)]
    /// What its namespace needs first, in the shell's words.
    var preparation: String { get }
    /// The program in the foreground.
    var command: String { get }
    /// What is added to that when it has run before.
    var restartOption: String { get }
    /// Other programs that it needs.
    var companions: [String] { get }
    /// Tells it what to announce where its file cannot.
    func announce(in lab: PeerLab) throws -> Bool
    func isUp(in lab: PeerLab) throws -> Bool
    /// What it has heard of a prefix.
    func route(to prefix: String, in lab: PeerLab) throws -> HeardRoute?
    /// How many paths to the shared prefix it announces.
    var sharedPathCount: Int { get }
    /// How many paths it has heard from the node to a prefix.
    func pathCount(to prefix: String, in lab: PeerLab) throws -> Int
    /// Has it ask the node to say everything again; false where it never does.
    func askAgain(in lab: PeerLab) throws -> Bool
    /// How much it has heard so far, in whatever it counts.
    func updatesHeard(in lab: PeerLab) throws -> Int
    /// What shows its session and the route to the headquarters, in the shell's words, with what tells that either is
    /// there; nil where it keeps no routes.
    var watch: (command: String, whenUp: String, whenKept: String)? { get }
}

extension PeerDaemon {
    var preparation: String { "\(place.givesHosts); \(place.givesRoutes)" }
    var sharedPathCount: Int { 2 }
    var restartOption: String { "" }
    var companions: [String] { [] }
    func announce(in lab: PeerLab) throws -> Bool { true }

    /// What runs it again whenever it ends, unless it is held; then it is killed, by its number in its own namespace.
    ///
    /// It writes down how often it has been started, and 0 while it is away.
    var loop: String {
        let files = "\(place.folder)/\(place.node)"
        return """
            \(preparation); n=0; while :; do while [ -e \(files).hold ]; do sleep 0.1; done; \
            rm -f \(files).socket; \(command) $again & p=$!; n=$((n+1)); echo $n > \(files).starts; \
            while [ ! -e \(files).hold ] && ! grep -q '^State:.Z' /proc/$p/status; do sleep 0.05; done; \
            kill -9 $p; wait $p; echo 0 > \(files).starts; again='\(restartOption)'; sleep 0.1; done
            """
    }
}
