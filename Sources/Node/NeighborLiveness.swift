import BFD
import BGP
import Basics
import Machine
import Telemetry
import Wire

/// BFD with one neighbour outside the overlay, over the link between (RFC 5881).
struct NeighborLiveness: Sendable {
    /// The neighbour, by index in ``NodeConfiguration/neighbors``.
    let neighbor: Int
    /// Where its packets arrive; shared by neighbours to whom the node has one address.
    let listening: SocketID
    let sending: SocketID
    let source: SocketAddress
    var session: BFD.Session
    /// Whether it is up; one that has yet to come up says nothing of the way (RFC 5882 §4.1).
    var isUp = false
    /// Whether the neighbour last said that its BFD would go on without its control plane (RFC 5882 §4.3).
    var isIndependent = false
}

extension Node {
    /// The sessions that the neighbours' configurations ask for; sockets are numbered behind those of the ports.
    static func neighborLiveness(
        _ configuration: NodeConfiguration, random: inout SeededRandom, at now: Instant
    ) -> ContiguousArray<NeighborLiveness> {
        var result: ContiguousArray<NeighborLiveness> = []
        for (index, neighbor) in configuration.neighbors.enumerated() {
            guard let timing = neighbor.liveness else { continue }
            let number = UInt32(configuration.ports.count + 2 * result.count)
            let first = result.first {
                configuration.neighbors[$0.neighbor].session.localAddress == neighbor.session.localAddress
            }
            result.append(
                NeighborLiveness(
                    neighbor: index, listening: first?.listening ?? SocketID(number), sending: SocketID(number + 1),
                    source: SocketAddress(
                        neighbor.session.localAddress,
                        port: Encapsulation.sourcePorts.lowerBound + UInt16(result.count)),
                    session: BFD.Session(
                        BFD.Session.Configuration(
                            desiredMinTx: timing.interval, requiredMinRx: timing.interval,
                            detectMultiplier: timing.detectMultiplier,
                            localDiscriminator: UInt32(configuration.tunnels.count + result.count + 1)),
                        random: random.fork(), at: now)))
        }
        return result
    }

    mutating func startNeighborLiveness(into outbox: inout Outbox) {
        var bound: [SocketID] = []
        for (index, liveness) in neighborLiveness.enumerated() {
            let local = liveness.source.address
            if !bound.contains(liveness.listening) {
                bound.append(liveness.listening)
                let address = SocketAddress(local, port: Encapsulation.singleHopPort)
                outbox.append(.bind(liveness.listening, local: address, port: nil))
                outbox.append(.secure(liveness.listening, hopLimit: Encapsulation.timeToLive))
            }
            outbox.append(.bind(liveness.sending, local: liveness.source, port: nil))
            outbox.append(.secure(liveness.sending, hopLimit: Encapsulation.timeToLive))
            timers.set(timer(forNeighbor: index), at: liveness.session.nextDeadline)
        }
    }

    /// A datagram that is no tunnel's.
    mutating func receiveNeighborLiveness(
        _ datagram: RawSpan, on socket: SocketID, from remote: SocketAddress, at now: Instant,
        into outbox: inout Outbox
    ) {
        let place = neighborLiveness.firstIndex {
            $0.listening == socket && configuration.neighbors[$0.neighbor].session.address == remote.address
        }
        guard let place else { return outbox.append(.report(.dropped(.notForUs))) }
        guard let control = try? ControlPacket(parsing: datagram) else {
            return outbox.append(.report(.dropped(.malformed)))
        }
        neighborLiveness[place].isIndependent = control.isControlPlaneIndependent
        carryOut(neighborLiveness[place].session.receive(control, at: now), of: place, at: now, into: &outbox)
    }

    mutating func wakeNeighborLiveness(_ place: Int, at now: Instant, into outbox: inout Outbox) {
        carryOut(neighborLiveness[place].session.wake(at: now), of: place, at: now, into: &outbox)
    }

    /// The way over a port is gone: who is behind it need not be waited for.
    mutating func takeNeighborLivenessDown(at port: PortID, at now: Instant, into outbox: inout Outbox) {
        for place in neighborLiveness.indices
        where configuration.neighbors[neighborLiveness[place].neighbor].port == port {
            carryOut(
                neighborLiveness[place].session.takeDown(because: .pathDown, at: now), of: place, at: now,
                into: &outbox)
        }
    }

    private mutating func carryOut(
        _ outputs: BFD.Outputs, of place: Int, at now: Instant, into outbox: inout Outbox
    ) {
        let liveness = neighborLiveness[place]
        for output in outputs {
            switch output {
            case .send(let control):
                let start = outbox.arena.count
                control.append(to: &outbox.arena)
                outbox.append(
                    .send(
                        liveness.sending,
                        to: SocketAddress(
                            configuration.neighbors[liveness.neighbor].session.address,
                            port: Encapsulation.singleHopPort),
                        ByteRange(start: start, count: ControlPacket.byteCount)))
            case .stateChanged(let state, _):
                guard neighborLiveness[place].isUp != (state == .up) else { continue }
                neighborLiveness[place].isUp = state == .up
                speaker.forwardingChanged(
                    peer: configuration.peers.count + liveness.neighbor, isUp: state == .up,
                    isIndependent: liveness.isIndependent, at: now, into: &routing)
                carryOutRouting(at: now, into: &outbox)
            }
        }
        timers.set(timer(forNeighbor: place), at: liveness.session.nextDeadline)
    }
}
