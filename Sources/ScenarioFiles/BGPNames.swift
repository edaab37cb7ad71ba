import BGP
import Scenario
import Wire

/// What a node's `bgp` key has names for.
struct BGPNames {
    var prefixLists: [(name: String, list: PrefixList)] = []
    var communityLists: [(name: String, list: CommunityList)] = []
    /// `all` and `none` are always there.
    var routeMaps: [(name: String, policy: RoutePolicy)] = [("all", .acceptAll), ("none", .denyAll)]
}

extension Cursor {
    /// A name that no other list or map of its kind has.
    func newName(_ what: String, among known: [String]) -> String? {
        guard let name = name(forbidden: "") else { return nil }
        if known.contains(name) { fault("another \(what) is named \"\(name)\"; choose another name") }
        return name
    }

    /// Tunnels and sessions stand on the addresses of links and nodes, which must not be drawn away from under them.
    func mayAnnounce(_ prefix: IPPrefix) -> Bool {
        let pools = [IPPrefix.v4(AllottedAddresses.ipv4Pool), .v6(AllottedAddresses.ipv6Pool)]
        guard let pool = pools.first(where: { $0.length <= prefix.length && $0.contains(prefix.address) }) else {
            return true
        }
        fault("\(prefix) lies in \(pool), the addresses of links and nodes; write another prefix")
        return false
    }

    /// What a name stands for; a fault where it stands for nothing.
    func named<Value>(_ what: String, among known: [(name: String, value: Value)]) -> Value? {
        guard let name = string(expected: "the name of a \(what)") else { return nil }
        if let found = known.first(where: { $0.name == name }) { return found.value }
        let advice = NearestName.advice(for: name, among: known.map(\.name))
        fault("there is no \(what) \"\(shown(name))\"; \(advice)")
        return nil
    }
}
