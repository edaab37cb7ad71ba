import Scenario

extension ScenarioDecoder {
    func attackEvent(_ object: ObjectCursor) -> ScriptedEvent.Kind? {
        let kind = object["attack"]?.word(AttackKind.self, what: "attack")
        let from = object.required("from", "\"from\": with the attacker's host").flatMap { host($0) }
        let to = object.required("to", "\"to\": with the victim").flatMap { victim($0) }
        let rate = object["rate"].map { $0.attackRate() } ?? Attack.standardRate
        let lasting = object["for"].map { $0.period() }
        let sources = object["sources"].map { $0.integer(in: 1...16_777_216) }
        guard let kind, let from, let to else { return nil }
        if nodes != nil, from == to {
            object["to"]?.fault("\"from\" and \"to\" are the same host; write two different ones")
        } else if let topology, topology.attackRoute(from: from, to: to) == nil {
            let names = (topology.nodes[from].name, topology.nodes[to].name)
            object["to"]?.fault("no route leads from \"\(names.0)\" to \"\(names.1)\"; name a victim that it can reach")
        }
        guard let rate else { return nil }
        return .attack(
            Attack(
                kind: kind, from: from, to: to, rate: rate, lasting: lasting ?? nil,
                sources: (sources ?? nil).map { UInt32($0) }))
    }

    /// The index of the host or the node that a value names.
    private func victim(_ cursor: Cursor) -> Int? {
        guard let index = node(cursor) else { return nil }
        guard let nodes else { return index }
        guard nodes[index].kind == .host || nodes[index].kind == .patronus else {
            cursor.fault(
                "\"\(nodes[index].name)\" is a \(nodes[index].kind.rawValue); name a host or a patronus node")
            return nil
        }
        return index
    }
}
