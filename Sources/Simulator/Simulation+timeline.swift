import Basics
import Links
import Machine
import Plan
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
        case .setLink(let script, let link, let directions, let changes, let progress):
            for direction in LinkDirection.allCases where directions.contains(direction) {
                change(link, direction, changes, progress, script, event)
            }
        case .carrier(let link, let directions, let isUp):
            setCarrier(link, directions, isUp: isUp, event)
        case .kill(let node):
            devices[node].kill(&network)
        case .start(let node):
            if devices[node].occupant.isPresent { devices[node].kill(&network) }
            devices[node].lives += 1
            devices[node].occupant = makeOccupant(of: node, life: devices[node].lives)
            start(node)
        case .resetSession(let pair):
            resetSession(pair)
        case .announce(let node, let series):
            devices[node].command(.announce(series), &network)
        case .withdraw(let node, let series):
            devices[node].command(.withdraw(series), &network)
        case .beginAttack(let event):
            beginAttack(ofEvent: event)
        case .endAttack(let event):
            endAttack(ofEvent: event)
        }
    }

    /// Moves what the changes speak of on its way to what they want; all else stays as it is.
    private mutating func change(
        _ link: Int, _ way: LinkDirection, _ changes: LinkSettings, _ progress: Ratio, _ script: Int,
        _ event: QueuedEvent
    ) {
        let direction = RunPlan.direction(link, way)
        settle(direction, event)
        let profile = ramps.step(
            network.links[direction].link.profile, ofDirection: direction, towards: changes, progress: progress,
            event: script)
        if progress == .one { setMTU(of: link, way, changes) }
        network.links[direction].link.change(to: profile, at: network.now)
        network.arm(direction)
    }

    private mutating func setMTU(of link: Int, _ direction: LinkDirection, _ changes: LinkSettings) {
        guard let mtu = changes.maximumTransmissionUnit else { return }
        let end = scenario.topology.links[link].source(direction)
        guard let port = plan.portNumber(of: end.node, link: link, direction: direction) else { return }
        devices[end.node].kernel.ports[port].mtu = min(mtu, plan.largestPacket)
    }

    private mutating func setCarrier(
        _ link: Int, _ directions: LinkDirections, isUp: Bool, _ event: QueuedEvent
    ) {
        var carrier = false
        for direction in LinkDirection.allCases {
            let number = RunPlan.direction(link, direction)
            if directions.contains(direction) {
                settle(number, event)
                network.links[number].link.setUp(isUp, at: network.now)
                settle(number, event)
                network.arm(number)
            }
            carrier = carrier || network.links[number].link.isUp
        }
        // One direction alone fails silently: the carrier is there for both ends while either way works.
        for direction in LinkDirection.allCases {
            let end = scenario.topology.links[link].source(direction)
            guard let port = plan.portNumber(of: end.node, link: link, direction: direction) else { continue }
            devices[end.node].portChanged(port, isUp: carrier, &network)
        }
    }

    private mutating func resetSession(_ pair: NodePair) {
        guard let peer = plan.sessionNumber(of: pair.second, at: pair.first, in: scenario.topology) else { return }
        devices[pair.first].command(.resetSession(peer: UInt32(peer)), &network)
    }
}
