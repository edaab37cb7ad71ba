import BFD
import Basics
import Machine
import Telemetry
import Tunnel
import Wire

// BFD runs inside each tunnel as inner IP and UDP between the nodes' overlay addresses
// (multihop, RFC 5883), so that it takes the very way that traffic takes. Once a session is
// up its periodic packets go with probes: they take the same way, and in a full mesh half
// of all packets are saved. A probe that carries one stands for the one due next.

extension Node {
    mutating func arm(_ place: Int) {
        timers.set(Timer.probe(place), at: tunnels[place].tunnel.nextDeadline)
        timers.set(Timer.liveness(place), at: tunnels[place].liveness.nextDeadline)
    }

    func isLivenessPacket(_ packet: RawSpan) -> Bool {
        guard packet.byteCount >= 28 else { return false }
        let first = packet.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt8.self)
        let upper = packet.unsafeLoadUnaligned(fromUncheckedByteOffset: 9, as: UInt8.self)
        let port = UInt16(bigEndian: packet.unsafeLoadUnaligned(fromUncheckedByteOffset: 22, as: UInt16.self))
        guard first == 0x45, upper == ProtocolNumber.udp, port == Encapsulation.multihopPort else { return false }
        let bits = packet.unsafeLoadUnaligned(fromUncheckedByteOffset: 16, as: UInt32.self)
        return UInt32(bigEndian: bits) == configuration.overlayAddress.bits
    }

    mutating func receiveLiveness(
        _ packet: RawSpan, through place: Int, at now: Instant, into outbox: inout Outbox
    ) {
        tunnels[place].prepareLiveness()
        let start = IPv4Header.minimumByteCount
        let payload = start + UDPHeader.byteCount
        guard let header = try? IPv4Header(parsing: packet),
            header.source == configuration.peers[tunnels[place].end.peer].overlayAddress,
            header.totalLength >= payload + ControlPacket.byteCount
        else {
            return outbox.append(.report(.dropped(.malformed)))
        }
        // No kernel has looked at this datagram, and a flipped bit could take a tunnel down.
        let datagram = packet.extracting(start..<header.totalLength)
        guard UDPHeader.isIntact(datagram, from: .v4(header.source), to: .v4(header.destination)) else {
            return outbox.append(.report(.dropped(.badChecksum)))
        }
        receiveControl(packet.extracting(payload..<header.totalLength), through: place, at: now, into: &outbox)
    }

    /// A BFD packet whose octets are known to be those that were sent.
    mutating func receiveControl(_ bytes: RawSpan, through place: Int, at now: Instant, into outbox: inout Outbox) {
        guard let control = try? ControlPacket(parsing: bytes) else {
            return outbox.append(.report(.dropped(.malformed)))
        }
        guard let session = session(for: control, arrivingThrough: place) else { return }
        carryOut(tunnels[session].liveness.receive(control, at: now), of: session, at: now, into: &outbox)
    }

    /// The session that a packet is for (RFC 5880 §6.3): that of the tunnel through which it came, or
    /// one to the same peer whose own tunnel cannot carry the news that it is down.
    private func session(for control: ControlPacket, arrivingThrough place: Int) -> Int? {
        let wanted = Int(control.remoteDiscriminator) - 1
        guard wanted >= 0, wanted != place else { return place }
        guard wanted < tunnels.count, tunnels[wanted].end.peer == tunnels[place].end.peer,
            control.state == .down || control.state == .adminDown, tunnels[wanted].liveness.state == .up
        else { return nil }
        return wanted
    }

    mutating func wakeLiveness(_ place: Int, at now: Instant, into outbox: inout Outbox) {
        carryOut(tunnels[place].liveness.wake(at: now), of: place, at: now, into: &outbox)
    }

    mutating func portChanged(_ port: PortID, isUp: Bool, at now: Instant, into outbox: inout Outbox) {
        neighborPortChanged(port, isUp: isUp, at: now, into: &outbox)
        guard let index = configuration.ports.firstIndex(where: { $0.id == port }) else { return }
        portIsUp[index] = isUp
        for place in 0..<tunnels.count where tunnels[place].end.port == index {
            if !isUp {
                carryOut(
                    tunnels[place].liveness.takeDown(because: .pathDown, at: now), of: place, at: now,
                    into: &outbox)
            }
            judge(place, .portDown, at: now, into: &outbox)
        }
    }

    private mutating func carryOut(
        _ outputs: BFD.Outputs, of place: Int, at now: Instant, into outbox: inout Outbox
    ) {
        var isNews = false
        for output in outputs {
            switch output {
            case .send(let control):
                guard let carrier = carrier(of: place, isNews: isNews) else { continue }
                if carrier == place, !isNews, control.isPeriodic {
                    sendProbe(carrying: control, through: place, at: now, into: &outbox)
                } else {
                    send(control, through: carrier, at: now, into: &outbox)
                }
            case .stateChanged(_, let diagnostic):
                isNews = true
                judge(place, ChangeCause(diagnostic), at: now, into: &outbox)
            }
        }
        timers.set(Timer.liveness(place), at: tunnels[place].liveness.nextDeadline)
    }

    /// The tunnel that carries a session's packets: its own or, for news of a port without carrier, another.
    private func carrier(of place: Int, isNews: Bool) -> Int? {
        if portIsUp[tunnels[place].end.port] { return place }
        guard isNews else { return nil }
        return (0..<tunnels.count).first {
            tunnels[$0].isUp && tunnels[$0].end.peer == tunnels[place].end.peer
                && portIsUp[tunnels[$0].end.port]
        }
    }

    /// Draws the verdict on a tunnel from its session and its port, and acts where it has changed.
    private mutating func judge(_ place: Int, _ cause: ChangeCause, at now: Instant, into outbox: inout Outbox) {
        let isUp = tunnels[place].liveness.state == .up && portIsUp[tunnels[place].end.port]
        guard isUp != tunnels[place].isUp else { return }
        tunnels[place].isUp = isUp
        outbox.append(
            .report(.tunnelState(tunnels[place].end.id, isUp ? .up : .down, isUp ? .sessionUp : cause)))
        judgeForDataplane(place, into: &outbox)
        updateSteering(place, isMeasured: false, at: now, into: &outbox)
        reachabilityChanged(of: tunnels[place].end.peer, at: now, into: &outbox)
    }

    /// Sends a probe before its time, with a BFD packet behind it.
    private mutating func sendProbe(
        carrying control: ControlPacket, through place: Int, at now: Instant, into outbox: inout Outbox
    ) {
        control.append(to: &scratch)
        let probe = scratch.probe(
            ByteRange(start: 0, count: scratch.count), into: &outbox.arena, by: &tunnels[place].tunnel, at: now)
        scratch.removeAll()
        outbox.append(.send(tunnels[place].socket, to: tunnels[place].remote, probe))
        timers.set(Timer.probe(place), at: tunnels[place].tunnel.nextDeadline)
        askForCarried(place, into: &outbox)
        updateSteering(place, isMeasured: true, at: now, into: &outbox)
    }

    private mutating func send(
        _ control: ControlPacket, through place: Int, at now: Instant, into outbox: inout Outbox
    ) {
        let source = configuration.overlayAddress
        let destination = configuration.peers[tunnels[place].end.peer].overlayAddress
        let start = scratch.count
        IPv4Header(
            source: source, destination: destination, protocolNumber: ProtocolNumber.udp,
            payloadByteCount: UDPHeader.byteCount + ControlPacket.byteCount, timeToLive: Encapsulation.timeToLive
        ).append(to: &scratch)
        let datagram = scratch.count
        UDPHeader(
            sourcePort: Encapsulation.sourcePorts.lowerBound, destinationPort: Encapsulation.multihopPort,
            payloadByteCount: ControlPacket.byteCount
        ).append(to: &scratch)
        control.append(to: &scratch)
        let checksum = UDPHeader.checksum(
            of: scratch.bytes(ByteRange(start: datagram, count: scratch.count - datagram)), from: .v4(source),
            to: .v4(destination))
        scratch.patch(checksum, at: datagram + 6)
        let range = scratch.seal(
            ByteRange(start: start, count: scratch.count - start), into: &outbox.arena,
            by: &tunnels[place].tunnel, at: now)
        outbox.append(.send(tunnels[place].socket, to: tunnels[place].remote, range))
        scratch.removeAll()
    }
}

extension ByteArena {
    /// Lends octets to a tunnel, which seals them into another arena.
    borrowing func seal(
        _ range: ByteRange, into arena: inout ByteArena, by tunnel: inout Tunnel, at now: Instant
    ) -> ByteRange {
        tunnel.seal(innerPacket: bytes(range), at: now, into: &arena)
    }

    /// Lends octets to a tunnel, which has a probe carry them.
    borrowing func probe(
        _ range: ByteRange, into arena: inout ByteArena, by tunnel: inout Tunnel, at now: Instant
    ) -> ByteRange {
        tunnel.probe(carrying: bytes(range), at: now, into: &arena)
    }
}

extension ControlPacket {
    /// Whether it says nothing new, and may wait for company.
    fileprivate var isPeriodic: Bool { state == .up && !isPoll && !isFinal }
}

extension ChangeCause {
    init(_ diagnostic: Diagnostic) {
        switch diagnostic {
        case .detectionExpired: self = .detectionExpired
        case .neighborSignaled: self = .neighborSignaled
        case .pathDown: self = .portDown
        default: self = .administrative
        }
    }
}
