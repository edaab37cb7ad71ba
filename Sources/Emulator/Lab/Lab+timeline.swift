import Basics
import Links
import LinuxSystem
import Plan
import Scenario

extension Lab {
    /// Does one thing that the scenario scripts.
    func perform(_ action: ScriptedAction) throws(LabError) {
        switch action {
        case .setLink(let event, let link, let directions, let changes, let progress):
            for direction in LinkDirection.allCases where directions.contains(direction) {
                try change(link, direction, changes, progress, event)
            }
        case .carrier(let link, let directions, let isUp): try setCarrier(link, directions, isUp: isUp)
        case .kill(let node): kill(node)
        case .start(let node): try restart(node)
        case .resetSession(let pair):
            guard let peer = plan.sessionNumber(of: pair.second, at: pair.first, in: topology) else { return }
            machine(of: pair.first)?.order(.resetSession(peer: UInt32(peer)))
        case .announce(let node, let series): machine(of: node)?.order(.announce(series))
        case .withdraw(let node, let series): machine(of: node)?.order(.withdraw(series))
        case .beginAttack, .endAttack: break  // The attacker knows when.
        }
    }

    /// What a node's sessions are called, by number.
    func sessionNames(of node: Int) -> [String] {
        view.sessionNames(of: node, named: plan.sessionNames(of: node, in: topology))
    }

    /// Does something to a node's session with a peer; false where the node does not run.
    func perform(_ order: SessionOrder, onSession peer: UInt32, of node: Int) -> Bool {
        guard let agent = machine(of: node) else { return false }
        switch order {
        case .reset: agent.order(.resetSession(peer: peer))
        case .refresh: agent.order(.refreshRoutes(peer: peer))
        case .stop(let reason): agent.order(.stopSession(peer: peer, reason: reason))
        case .start: agent.order(.startSession(peer: peer))
        }
        return true
    }

    /// Whether a link can do anything to packets.
    func isWire(_ link: Int) -> Bool { wireNumbers[link] != nil }

    /// The process that is a node now.
    func machine(of node: Int) -> AgentProcess? {
        agents.last { $0.node == node && $0.role == .machine && $0.life == lives[node] && !$0.hasEnded }
    }

    private func change(
        _ link: Int, _ direction: LinkDirection, _ changes: LinkSettings, _ progress: Ratio, _ event: Int
    ) throws(LabError) {
        guard let wire, let number = wireNumbers[link] else { return }
        let profile = ramps.step(
            wire.profile(of: number, direction), ofDirection: RunPlan.direction(link, direction), towards: changes,
            progress: progress, event: event)
        wire.change(number, direction, to: profile)
        guard progress == .one, let mtu = changes.maximumTransmissionUnit else { return }
        try inLab { () throws(SystemError) in
            try ground.setMTU(ofLink: link, direction, to: UInt32(min(mtu, plan.largestPacket)))
        }
    }

    private func setCarrier(_ link: Int, _ directions: LinkDirections, isUp: Bool) throws(LabError) {
        try inLab { () throws(SystemError) in
            guard let wire, let number = wireNumbers[link] else {
                // A veth has one carrier for both directions.
                return try ground.setCarrier(ofLink: link, isUp: isUp)
            }
            try wire.setUp(number, directions, isUp)
            try ground.announceCarriers(ofLink: link)
        }
    }

    /// Ends a machine as a power cut does.
    private func kill(_ node: Int) {
        switch topology.nodes[node].kind {
        case .router: setRouter(node, isThere: false)
        case .linux: endCommands(of: node)
        default:
            guard let agent = machine(of: node) else { return }
            agent.kill()
            view.forget(node)
        }
    }

    private func restart(_ node: Int) throws(LabError) {
        kill(node)
        switch topology.nodes[node].kind {
        case .router: setRouter(node, isThere: true)
        case .linux: try startCommands(of: node)
        default:
            lives[node] += 1
            machine(of: node)?.order(.go(epoch: clock.epoch))
            try prepareNextLife(of: node)
        }
    }

    /// A router is its kernel, which cannot be stopped: its links, all of them wires, let nothing in or out.
    private func setRouter(_ node: Int, isThere: Bool) {
        for (link, number) in wireNumbers.enumerated() {
            guard let wire, let number else { continue }
            for direction in LinkDirection.allCases where topology.links[link].source(direction).node == node {
                wire.setMachine(at: number, direction, isThere: isThere)
            }
        }
    }
}
