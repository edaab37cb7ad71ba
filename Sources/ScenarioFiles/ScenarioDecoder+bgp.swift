import Basics
import Scenario
import Wire

extension ScenarioDecoder {
    /// More would say nothing more, and take a simulated network long.
    private static let largestTable = 1_000_000

    func bgpEvent(_ object: ObjectCursor) -> ScriptedEvent.Kind? {
        guard let cursor = object["bgp"], let keys = cursor.object(keys: KnownKeys.bgpIncident) else { return nil }
        let lasting = object["for"].map { $0.period() } ?? nil
        let actions = ["session", "announce", "withdraw"].filter { keys[$0] != nil }
        guard let action = actions.first, actions.count == 1 else {
            cursor.fault(
                actions.isEmpty
                    ? "nothing happens to BGP; write \"session\", \"announce\" or \"withdraw\""
                    : "\"\(actions[0])\" and \"\(actions[1])\" stand in one event; write two events")
            return nil
        }
        let companion = action == "session" ? "reset" : "node"
        for key in ["reset", "node"] where key != companion {
            keys[key]?.fault("\"\(key)\" does not go with \"\(action)\"; leave it out", at: keys.keyPosition(key))
        }
        if action == "session" {
            object["for"]?.fault(
                "\"for\" goes with \"announce\" or \"withdraw\", not with \"session\"; leave it out",
                at: object.keyPosition("for"))
            return sessionReset(keys)
        }
        let node = keys.required("node", "\"node\": with the node that \(action)s").flatMap { speaker($0) }
        let prefixes = keys[action].map { series($0) } ?? []
        guard let node, !prefixes.isEmpty else { return nil }
        return action == "announce"
            ? .bgp(.announce(node: node, prefixes: prefixes, lasting: lasting))
            : .bgp(.withdraw(node: node, prefixes: prefixes, lasting: lasting))
    }

    /// A node withdraws only what is its own, and what earlier events have it announce until later than that.
    func judgeWithdrawals(_ events: [ScriptedEvent], _ places: [ObjectCursor]) {
        guard let nodes else { return }
        for (index, event) in events.enumerated() {
            guard case .bgp(.withdraw(let node, let prefixes, _)) = event.kind else { continue }
            let own = nodes[node].lan + (nodes[node].bgp?.networks ?? [])
            let known = own.map { PrefixSeries($0) } + announced(by: node, before: index, of: events)
            for series in prefixes {
                let isKnown = known.contains { $0.contains(series.first) && $0.contains(series[series.count - 1]) }
                guard !isKnown, let bgp = places[index]["bgp"]?.object(keys: KnownKeys.bgpIncident) else { continue }
                bgp["withdraw"]?.fault(
                    "\"\(nodes[node].name)\" does not announce \(series) at \(event.at); withdraw one of its LANs, or"
                        + " what an earlier event has it announce")
            }
        }
    }

    private func announced(by node: Int, before index: Int, of events: [ScriptedEvent]) -> [PrefixSeries] {
        events.enumerated().flatMap { place, other -> [PrefixSeries] in
            guard (other.at, place) < (events[index].at, index),
                case .bgp(.announce(node, let prefixes, _)) = other.kind,
                other.end.map({ $0 > events[index].at }) ?? true
            else { return [] }
            return prefixes
        }
    }

    private func sessionReset(_ keys: ObjectCursor) -> ScriptedEvent.Kind? {
        keys.required("reset", "\"reset\": true")?.flag()
        guard let session = keys["session"], let ends = session.elements(expected: "two nodes, [\"hq\", \"branch\"]")
        else { return nil }
        guard ends.count == 2 else {
            session.fault("a session has two ends; write [\"hq\", \"branch\"]")
            return nil
        }
        guard let first = speaker(ends[0]), let second = node(ends[1]) else { return nil }
        if let topology, !topology.hasSession(first, second) {
            guard speaker(ends[1]) != nil else { return nil }
            let names = (topology.nodes[first].name, topology.nodes[second].name)
            let peers = topology.nodes.indices.filter { topology.hasSession(first, $0) }
            let others = peers.map { topology.nodes[$0].name }
            let advice = others.isEmpty ? "name another node" : NearestName.advice(for: names.1, among: others)
            session.fault("\"\(names.0)\" and \"\(names.1)\" have no session; \(advice)")
        }
        return .bgp(.sessionReset(NodePair(first, second)))
    }

    /// The index of the node that a value names, which speaks BGP in the overlay.
    private func speaker(_ cursor: Cursor) -> Int? {
        guard let index = node(cursor) else { return nil }
        guard let nodes else { return index }
        guard nodes[index].kind == .patronus else {
            cursor.fault("\"\(nodes[index].name)\" is a \(nodes[index].kind.rawValue); name a patronus node")
            return nil
        }
        return index
    }

    /// A list of prefixes, or `{ "count": 20000, "from": "20.0.0.0/8", "length": 24 }`.
    private func series(_ cursor: Cursor) -> [PrefixSeries] {
        if case .object = cursor.node.value { return table(cursor).map { [$0] } ?? [] }
        let expected = "a list of prefixes, [\"10.1.0.0/17\"], or { \"count\": 20000, \"from\": \"20.0.0.0/8\" }"
        guard let elements = cursor.elements(expected: expected) else { return [] }
        if elements.isEmpty { cursor.fault("the list is empty; write at least one prefix, [\"10.1.0.0/17\"]") }
        return elements.compactMap { element in
            guard let prefix = element.prefix(), element.mayAnnounce(prefix) else { return nil }
            return PrefixSeries(prefix)
        }
    }

    private func table(_ cursor: Cursor) -> PrefixSeries? {
        guard let keys = cursor.object(keys: KnownKeys.bgpTable) else { return nil }
        let count = keys.required("count", "\"count\": 20000")?.integer(in: 1...Self.largestTable)
        let block = keys.required("from", "\"from\": \"20.0.0.0/8\"")?.prefix()
        let width = block?.isIPv4 == false ? 128 : 32
        let length = keys["length"].map { $0.integer(in: 0...width) } ?? (width == 32 ? 24 : 48)
        guard let count, let block, let length else { return nil }
        guard let series = PrefixSeries(count: count, length: length, in: block) else {
            cursor.fault("\(block) has no \(count) prefixes of length \(length); write a shorter \"from\"")
            return nil
        }
        guard series.cover.allSatisfy({ (keys["from"] ?? cursor).mayAnnounce($0) }) else { return nil }
        return series
    }
}

extension Topology {
    /// Whether two nodes exchange routes, as peers of the overlay or as neighbours on a link.
    fileprivate func hasSession(_ first: Int, _ second: Int) -> Bool {
        tunnels().contains { $0.farEnd(from: first)?.node == second }
            || neighbors(of: first).contains { farEnd($0.port).node == second }
    }
}
