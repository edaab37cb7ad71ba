import BFD
import Basics
import Machine
import Steering
import Telemetry
import Tunnel
import Wire

// The node decides where a flow goes when it sees its first packet, and leaves the others to the host's data plane.
// It takes them back when the choice may be another: a tunnel that is down is closed, and whose packets find no
// tunnel come to the node; where the best path to a peer changes, all flows to the peer are released.

extension Node {
    /// Lets the data plane carry a flow from its next packet on.
    mutating func handOver(
        _ head: PacketHead, into place: Int, toward peer: Int, _ outbox: inout Outbox
    ) {
        guard configuration.usesDataplane, tunnels[place].isUp, Self.isCarried(head.flow.protocolNumber),
            head.flow.sourcePort != 0 || head.flow.destinationPort != 0
        else { return }
        let tunnel = tunnels[place].end.id
        guard handedFlows.tunnel(of: head.key) != tunnel else { return }
        if let evicted = handedFlows.insert(head.flow, head.key, into: tunnel, toward: peer) {
            outbox.append(.program(.release(evicted)))
        }
        outbox.append(.program(.steer(head.flow, into: tunnel)))
    }

    private static func isCarried(_ protocolNumber: UInt8) -> Bool {
        protocolNumber == ProtocolNumber.tcp || protocolNumber == ProtocolNumber.udp
    }

    /// Opens or closes a tunnel for the data plane, by the verdict on it.
    mutating func judgeForDataplane(_ place: Int, into outbox: inout Outbox) {
        guard configuration.usesDataplane else { return }
        let end = tunnels[place].end
        tunnels[place].carried = (0, 0)
        guard tunnels[place].isUp else { return outbox.append(.program(.close(end.id))) }
        outbox.append(.program(.open(end.id, over: configuration.ports[end.port].id, to: end.remoteAddress)))
    }

    /// Asks what the data plane has seen of a tunnel, once in each of its probes' intervals.
    func askForCarried(_ place: Int, into outbox: inout Outbox) {
        guard configuration.usesDataplane, tunnels[place].isUp else { return }
        outbox.append(.readTunnel(tunnels[place].end.id))
    }

    mutating func carried(_ tunnel: TunnelID, received: UInt64, expected: UInt64, at now: Instant) {
        guard let place = places[tunnel.rawValue], tunnels[place].isUp else { return }
        let former = tunnels[place].carried
        tunnels[place].carried = (received, expected)
        // A tunnel that was opened anew counts from nothing.
        guard received >= former.received, expected >= former.expected else { return }
        tunnels[place].tunnel.count(
            carried: UInt32(clamping: received - former.received), of: UInt32(clamping: expected - former.expected),
            at: now)
    }

    /// Takes back the flows to each peer whose best paths are others than when it was last asked.
    mutating func takeBackMovedFlows(at now: Instant, into outbox: inout Outbox) {
        guard configuration.usesDataplane, steering.choiceCount != choicesKnown else { return }
        choicesKnown = steering.choiceCount
        for peer in configuration.peers.indices {
            let count = steering.choiceCount(for: UInt32(peer))
            guard count != choicesKnownOfPeer[peer] else { continue }
            choicesKnownOfPeer[peer] = count
            takeBackFlows(toward: peer, at: now, into: &outbox)
        }
    }

    /// Takes back the flows whose destinations lie behind another peer than when they were handed over, or nowhere.
    mutating func takeBackRedirectedFlows(into outbox: inout Outbox) {
        guard configuration.usesDataplane, handedFlows.count > 0 else { return }
        let taken = handedFlows.removeAll { flow, peer in routes.peer(toward: flow.destination) != peer }
        for flow in taken { outbox.append(.program(.release(flow))) }
    }

    private mutating func takeBackFlows(toward peer: Int, at now: Instant, into outbox: inout Outbox) {
        for flow in handedFlows.removeAll(where: { $1 == peer }) {
            // The node has not seen its packets, but they may have passed until now.
            steering.keep(flow.key, at: now)
            outbox.append(.program(.release(flow)))
        }
    }
}
