import Basics
import Scenario

extension ScenarioDecoder {
    /// What an event may be about; the key that says so, and the keys that go with it.
    private enum Subject: String, CaseIterable {
        case link, node, bgp, cloud, attack

        var keys: [String] {
            switch self {
            case .link: ["link", "set", "over", "down", "up", "for", "flap", "direction"]
            case .node: ["node", "kill", "restart", "after"]
            case .bgp: ["bgp", "for"]
            case .cloud: ["cloud", "fail"]
            case .attack: ["attack", "from", "to", "rate", "sources", "for"]
            }
        }
    }

    func decodeEvents(_ cursor: Cursor?) -> [ScriptedEvent] {
        var result: [ScriptedEvent] = []
        var places: [ObjectCursor] = []
        for element in cursor?.elements(expected: "a list of events, [ { \"at\": \"40s\" } ]") ?? [] {
            guard let object = element.object(keys: KnownKeys.event) else { continue }
            let at = object.required("at", "\"at\": \"40s\"").flatMap { moment($0, what: "the event is") }
            let label = object["label"]?.name(forbidden: "")
            guard let kind = kind(object) else { continue }
            if let obstacle = Availability.obstacle(to: kind) { element.fault(obstacle) }
            guard let at else { continue }
            let text = label ?? EventLabel.text(kind, topology: topology)
            result.append(ScriptedEvent(at: at, label: text, kind: kind))
            places.append(object)
        }
        judgeWithdrawals(result, places)
        return result
    }

    private func kind(_ object: ObjectCursor) -> ScriptedEvent.Kind? {
        let subjects = Subject.allCases.filter { object[$0.rawValue] != nil }
        guard let subject = subjects.first else {
            object.cursor.fault(
                "the event is about nothing; write \"link\", \"node\", \"bgp\", \"cloud\" or \"attack\"")
            return nil
        }
        guard subjects.count == 1 else {
            object.cursor.fault(
                "the event is about \"\(subject.rawValue)\" and \"\(subjects[1].rawValue)\"; write two events")
            return nil
        }
        let allowed = ["at", "label"] + subject.keys
        for member in object.members where KnownKeys.event.contains(member.key) && !allowed.contains(member.key) {
            member.value.fault(
                "\"\(member.key)\" does not go with \"\(subject.rawValue)\"; leave it out", at: member.keyPosition)
        }
        switch subject {
        case .link: return linkEvent(object)
        case .node: return nodeEvent(object)
        case .bgp: return bgpEvent(object)
        case .cloud: return cloudEvent(object)
        case .attack: return attackEvent(object)
        }
    }

    // MARK: Links

    private func linkEvent(_ object: ObjectCursor) -> ScriptedEvent.Kind? {
        let link = object["link"].flatMap { self.link($0) }
        let directions = object["direction"].map { $0.word(LinkDirections.self, what: "direction") } ?? .both
        let actions = ["set", "down", "up", "flap"].filter { object[$0] != nil }
        guard let action = actions.first, actions.count == 1 else {
            object.cursor.fault(
                actions.isEmpty
                    ? "nothing happens to the link; write \"set\", \"down\", \"up\" or \"flap\""
                    : "\"\(actions[0])\" and \"\(actions[1])\" stand in one event; write two events")
            return nil
        }
        judge("over", goesWith: ["set"], action, object)
        judge("for", goesWith: ["down", "up"], action, object)
        let lasting = object["for"].map { $0.period() }
        switch action {
        case "set":
            guard let cursor = object["set"], let keys = cursor.object(keys: KnownKeys.linkSettings) else { return nil }
            if keys.members.isEmpty { cursor.fault("nothing is set; write at least one key such as \"loss\": \"8%\"") }
            let changes = LinkSettingsDecoder(session: session).decode(keys)
            let over = object["over"].map { $0.duration() }
            guard let link, let directions else { return nil }
            return .linkSet(link: link, directions: directions, changes: changes, over: over ?? nil)
        case "flap":
            return flap(object["flap"], link, directions)
        default:
            object[action]?.flag()
            guard let link, let directions else { return nil }
            return action == "down"
                ? .linkDown(link: link, directions: directions, lasting: lasting ?? nil)
                : .linkUp(link: link, directions: directions, lasting: lasting ?? nil)
        }
    }

    private func judge(_ key: String, goesWith owners: [String], _ action: String, _ object: ObjectCursor) {
        guard let cursor = object[key], !owners.contains(action) else { return }
        let names = owners.map { "\"\($0)\"" }.joined(separator: " or ")
        cursor.fault("\"\(key)\" goes with \(names), not with \"\(action)\"; leave it out", at: object.keyPosition(key))
    }

    private func flap(_ cursor: Cursor?, _ link: Int?, _ directions: LinkDirections?) -> ScriptedEvent.Kind? {
        guard let keys = cursor?.object(keys: KnownKeys.flap) else { return nil }
        // A bounce takes time in a real network too; shorter ones would only fill the queue of events.
        let shortest = Interval.milliseconds(1)
        let up = keys.required("up", "\"up\": \"2s\"")?.duration(in: shortest...Interval.longest)
        let down = keys.required("down", "\"down\": \"500ms\"")?.duration(in: shortest...Interval.longest)
        let lasting = keys.required("for", "\"for\": \"30s\"")?.duration(in: shortest...Interval.longest)
        guard let link, let directions, let up, let down, let lasting else { return nil }
        return .linkFlap(link: link, directions: directions, up: up, down: down, lasting: lasting)
    }

    // MARK: Nodes and others

    private func nodeEvent(_ object: ObjectCursor) -> ScriptedEvent.Kind? {
        let node = object["node"].flatMap { self.node($0) }
        let actions = ["kill", "restart"].filter { object[$0] != nil }
        guard let action = actions.first, actions.count == 1 else {
            object.cursor.fault(
                actions.isEmpty
                    ? "nothing happens to the node; write \"kill\": true or \"restart\": true"
                    : "\"kill\" and \"restart\" stand in one event; write one of them")
            return nil
        }
        object[action]?.flag()
        judge("after", goesWith: ["restart"], action, object)
        let after = object["after"].map { $0.duration() } ?? .zero
        guard let node, let after else { return nil }
        if let nodes, action == "kill" || action == "restart", nodes[node].kind == .host {
            object["node"]?.fault("\"\(nodes[node].name)\" is a host; name a patronus node or a router")
            return nil
        }
        return action == "kill" ? .nodeKill(node: node) : .nodeRestart(node: node, after: after)
    }

    /// `"cloud": { "fail": "attachment" }`, or the node's name with `fail` beside it.
    private func cloudEvent(_ object: ObjectCursor) -> ScriptedEvent.Kind? {
        guard let cursor = object["cloud"] else { return nil }
        if case .string = cursor.node.value {
            let node = self.node(cursor)
            let failure = object.required("fail", "\"fail\": \"attachment\"")?.name(forbidden: "")
            guard let node, let failure else { return nil }
            return .cloud(node: node, failure: failure)
        }
        judge("fail", goesWith: [], "cloud", object)
        guard let keys = cursor.object(keys: KnownKeys.cloudIncident) else { return nil }
        let node = keys["node"].map { self.node($0) }
        guard let failure = keys.required("fail", "\"fail\": \"attachment\"")?.name(forbidden: "") else { return nil }
        return .cloud(node: node ?? nil, failure: failure)
    }
}
