import BFD
import Basics
import Machine
import Steering
import Telemetry
import Tunnel
import Wire

extension Node {
    /// A packet from the overlay interface: classified, steered, sealed.
    mutating func forward(_ packet: RawSpan, at now: Instant, into outbox: inout Outbox) {
        guard let head = PacketHead(parsing: packet) else {
            return outbox.append(.report(.dropped(.malformed)))
        }
        guard let peer = routes.peer(toward: head.flow.destination) else {
            return outbox.append(.report(.dropped(.noRoute)))
        }
        guard let tunnel = selectPath(for: head, toward: peer, at: now, into: &outbox),
            let place = places[tunnel.rawValue]
        else {
            if hasPath(to: peer) { blackholedPackets += 1 }
            return outbox.append(.report(.dropped(.noPath)))
        }
        send(packet, through: place, at: now, into: &outbox)
        handOver(head, into: place, toward: peer, &outbox)
    }

    /// Seals an inner packet and sends it through a tunnel.
    mutating func send(_ packet: RawSpan, through place: Int, at now: Instant, into outbox: inout Outbox) {
        let range = tunnels[place].tunnel.seal(innerPacket: packet, at: now, into: &outbox.arena)
        outbox.append(.send(tunnels[place].socket, to: tunnels[place].remote, range))
    }

    /// A datagram from a WAN port: opened, and its packet handed to the kernel.
    mutating func receive(
        _ datagram: RawSpan, on socket: SocketID, from remote: SocketAddress, at now: Instant,
        into outbox: inout Outbox
    ) {
        guard socket.rawValue < configuration.ports.count else {
            return receiveNeighborLiveness(datagram, on: socket, from: remote, at: now, into: &outbox)
        }
        guard let number = Tunnel.peek(datagram), let place = places[number] else {
            return outbox.append(.report(.dropped(.badTunnelHeader)))
        }
        tunnels[place].prepareTunnel()
        guard tunnels[place].socket == socket, tunnels[place].remote.address == remote.address else {
            return outbox.append(.report(.dropped(.notForUs)))
        }
        let lastHeard = tunnels[place].tunnel.lastReceivedAt
        switch tunnels[place].tunnel.open(datagram, at: now) {
        case .packet(let range):
            let packet = datagram.extracting(range)
            if isLivenessPacket(packet) {
                receiveLiveness(packet, through: place, at: now, into: &outbox)
            } else {
                deliver(packet, into: &outbox)
            }
        case .probe(let attachment):
            noteRestart(of: place, heardUntil: lastHeard, at: now, into: &outbox)
            guard let attachment else { return }
            receiveControl(datagram.extracting(attachment), through: place, at: now, into: &outbox)
        case .refused(let cause):
            outbox.append(.report(.dropped(cause)))
        }
    }

    private func deliver(_ packet: RawSpan, into outbox: inout Outbox) {
        let start = outbox.arena.count
        outbox.arena.append(packet)
        outbox.append(.deliver(ByteRange(start: start, count: packet.byteCount)))
    }

    /// A tunnel's deadline: a probe is due, or the tunnel has fallen silent.
    mutating func probe(_ place: Int, at now: Instant, into outbox: inout Outbox) {
        let probe = tunnels[place].tunnel.wake(at: now, into: &outbox.arena)
        if let probe, portIsUp[tunnels[place].end.port] {
            outbox.append(.send(tunnels[place].socket, to: tunnels[place].remote, probe))
        }
        timers.set(Timer.probe(place), at: tunnels[place].tunnel.nextDeadline)
        askForCarried(place, into: &outbox)
        if tunnels[place].isUp { updateSteering(place, isMeasured: true, at: now, into: &outbox) }
    }
}
