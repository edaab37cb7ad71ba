import BGP

/// What a node's `bgp` key has names for.
struct BGPNames {
    var prefixLists: [(name: String, list: PrefixList)] = []
    var communityLists: [(name: String, list: CommunityList)] = []
    /// `all` and `none` are always there.
    var routeMaps: [(name: String, policy: RoutePolicy)] = [("all", .acceptAll), ("none", .denyAll)]
}

extension Cursor {
    /// What a name stands for; a fault where it stands for nothing.
    func named<Value>(_ what: String, among known: [(name: String, value: Value)]) -> Value? {
        guard let name = string(expected: "the name of a \(what)") else { return nil }
        if let found = known.first(where: { $0.name == name }) { return found.value }
        let advice = NearestName.advice(for: name, among: known.map(\.name))
        fault("there is no \(what) \"\(shown(name))\"; \(advice)")
        return nil
    }
}
