import Basics
import Scenario
import Wire

/// What an event is called where its file gives it no label.
enum EventLabel {
    static func text(_ kind: ScriptedEvent.Kind, topology: Topology?) -> String {
        func link(_ index: Int) -> String { topology?.links[index].name ?? "link" }
        func node(_ index: Int) -> String { topology?.nodes[index].name ?? "node" }
        func suffix(_ directions: LinkDirections) -> String {
            directions == .both ? "" : " (\(directions.rawValue))"
        }
        switch kind {
        case .linkSet(let index, let directions, let changes, let over):
            let ramp = over.map { " over \($0)" } ?? ""
            return "\(link(index)) \(self.text(changes))\(ramp)\(suffix(directions))"
        case .linkDown(let index, let directions, _): return "\(link(index)) down\(suffix(directions))"
        case .linkUp(let index, let directions, _): return "\(link(index)) up\(suffix(directions))"
        case .linkFlap(let index, let directions, let up, let down, _):
            return "\(link(index)) flaps, \(up) up and \(down) down\(suffix(directions))"
        case .nodeKill(let index): return "\(node(index)) killed"
        case .nodeRestart(let index, let after): return "\(node(index)) restarted after \(after)"
        case .bgp(.sessionReset(let pair)): return "session of \(node(pair.first)) and \(node(pair.second)) reset"
        case .bgp(.announce(let index, let prefixes, _)): return "\(node(index)) announces \(self.text(prefixes))"
        case .bgp(.withdraw(let index, let prefixes, _)): return "\(node(index)) withdraws \(self.text(prefixes))"
        case .cloud(let index, let failure): return "\(index.map(node) ?? "cloud") fails: \(failure)"
        case .attack(let attack): return "\(attack.kind.rawValue) from \(node(attack.from)) to \(node(attack.to))"
        }
    }

    private static func text(_ prefixes: [PrefixSeries]) -> String {
        guard let first = prefixes.first else { return "nothing" }
        let head = first.count == 1 ? "\(first.first)" : "\(first.count) prefixes from \(first.first) on"
        return prefixes.count == 1 ? head : "\(head) and \(prefixes.count - 1) more"
    }

    private static func text(_ settings: LinkSettings) -> String {
        var parts: [String] = []
        if let rate = settings.rate { parts.append("rate \(rate)") }
        if let delay = settings.delay { parts.append("delay \(delay)") }
        if let jitter = settings.jitter { parts.append("jitter \(jitter)") }
        switch settings.loss {
        case .independent(let ratio): parts.append("loss \(ratio)")
        case .gilbertElliott: parts.append("bursts of loss")
        case nil: break
        }
        if let ratio = settings.duplicate { parts.append("duplicate \(ratio)") }
        if let ratio = settings.reorder { parts.append("reorder \(ratio)") }
        if let ratio = settings.corrupt { parts.append("corrupt \(ratio)") }
        if settings.queue != nil { parts.append("queue") }
        if let discipline = settings.discipline { parts.append(discipline.rawValue) }
        if let size = settings.maximumTransmissionUnit { parts.append("mtu \(size)") }
        if let trace = settings.trace { parts.append("trace \(trace.file)") }
        return parts.isEmpty ? "changed" : parts.joined(separator: ", ")
    }
}
