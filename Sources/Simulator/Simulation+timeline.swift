import Basics
import Links
import Machine
import Scenario

extension Simulation {
    mutating func armTimeline() {
        guard let next = timeline.next else { return }
        network.queue.schedule(QueuedEvent(at: max(next, network.now), key: EventKey.timeline))
    }

    mutating func runTimeline(_ event: QueuedEvent) {
        while let action = timeline.takeDue(at: network.now) { perform(action, event) }
        armTimeline()
    }

    private mutating func perform(_ action: ScriptedAction, _ event: QueuedEvent) {
        switch action {
        case .setLink(let link, let directions, let changes, let progress):
            for direction in LinkDirection.allCases where directions.contains(direction) {
                change(SimulationPlan.direction(link, direction), changes, progress, event)
            }
        case .carrier(let link, let directions, let isUp):
            setCarrier(link, directions, isUp: isUp, event)
        case .kill(let node):
            devices[node].kill(&network)
        case .start(let node):
            devices[node].lives += 1
            devices[node].occupant = makeOccupant(of: node, life: devices[node].lives)
            devices[node].start(&network)
        case .resetSession(let pair):
            resetSession(pair)
        }
    }

    /// Moves a direction's profile on its way to what the changes make of it.
    private mutating func change(
        _ direction: Int, _ changes: LinkSettings, _ progress: Ratio, _ event: QueuedEvent
    ) {
        settle(direction, event)
        let original = rampStarts[direction] ?? network.links[direction].link.profile
        rampStarts[direction] = progress == .one ? nil : original
        let target = original.applying(changes)
        network.links[direction].link.change(
            to: original.interpolated(to: target, progress: progress), at: network.now)
        network.arm(direction)
    }

    private mutating func setCarrier(
        _ link: Int, _ directions: LinkDirections, isUp: Bool, _ event: QueuedEvent
    ) {
        for direction in LinkDirection.allCases where directions.contains(direction) {
            let number = SimulationPlan.direction(link, direction)
            settle(number, event)
            network.links[number].link.setUp(isUp, at: network.now)
            settle(number, event)
            network.arm(number)
        }
        // One direction alone fails silently: a carrier is lost or there for both ends.
        guard directions == .both else { return }
        for direction in LinkDirection.allCases {
            let end = scenario.topology.links[link].source(direction)
            guard let port = plan.portNumber(of: end.node, link: link, direction: direction) else { continue }
            devices[end.node].portChanged(port, isUp: isUp, &network)
        }
    }

    private mutating func resetSession(_ pair: NodePair) {
        guard let peer = plan.peerIndex(of: pair.second, at: pair.first) else { return }
        devices[pair.first].command(.resetSession(peer: UInt32(peer)), &network)
    }
}

extension LinkProfile {
    /// This profile with what the settings say in place of its own.
    func applying(_ changes: LinkSettings) -> LinkProfile {
        let said = LinkProfile(changes)
        var result = self
        if changes.rate != nil { result.rate = said.rate }
        if changes.delay != nil { result.delay = said.delay }
        if changes.jitter != nil { result.jitter = said.jitter }
        if changes.jitterDistribution != nil { result.jitterDistribution = said.jitterDistribution }
        if changes.loss != nil { result.loss = said.loss }
        if changes.duplicate != nil { result.duplicate = said.duplicate }
        if changes.reorder != nil { result.reorder = said.reorder }
        if changes.corrupt != nil { result.corrupt = said.corrupt }
        if changes.queue != nil { result.queue = said.queue }
        if changes.discipline != nil { result.discipline = said.discipline }
        if changes.trace != nil { result.trace = said.trace }
        return result
    }
}
