import Basics
import Telemetry
import Wire

extension Kernel {
    mutating func receiveARP(_ packet: PacketID, on port: Int, _ network: inout Network) {
        guard let message = network.pool.arpPacket(packet) else {
            return network.drop(packet, .malformed)
        }
        let hardware = MACAddress(
            bits: UInt64(network.pool.load(packet, at: 6, as: UInt32.self)) << 16
                | UInt64(network.pool.load(packet, at: 10, as: UInt16.self)))
        network.deliver(packet)
        // A frame has no check sequence here, so a damaged sender is told by the frame's own.
        guard message.senderHardware == hardware, message.sender != .any else { return }
        if let number = neighbors.existingNumber(of: .v4(message.sender), on: port) {
            confirm(number, at: message.senderHardware, &network)
        }
        guard message.target == ports[port].address4, message.operation == .request else { return }
        answer(message, on: port, &network)
        if neighbors.existingNumber(of: .v4(message.sender), on: port) == nil {
            let number = neighbors.number(of: .v4(message.sender), on: port)
            confirm(number, at: message.senderHardware, &network)
        }
    }

    /// Asks who a neighbour is: by ARP, or by a solicitation (RFC 4861 §7.2).
    mutating func solicit(_ number: Int, _ network: inout Network) {
        let port = neighbors[number].port
        setTimer(number, at: network.now + NeighborTable.retryInterval)
        guard ports[port].isUp else { return }
        switch neighbors[number].address {
        case .v4(let target):
            guard let sender = ports[port].address4 else { return }
            let message = ARPPacket(
                .request, sender: sender, at: ports[port].hardware, target: target, at: MACAddress(bits: 0))
            send(message, to: .broadcast, on: port, &network)
        case .v6(let target):
            sendSolicitation(for: target, on: port, &network)
        }
    }

    /// A neighbour has said who it is: what waited for it goes out.
    mutating func confirm(_ number: Int, at hardware: MACAddress, _ network: inout Network) {
        if neighbors.neighbors[number].hardware != hardware || neighbors.neighbors[number].state != .reachable {
            noteChange(of: number)
        }
        neighbors[number].hardware = hardware
        neighbors[number].state = .reachable
        neighbors[number].attempts = 0
        setTimer(number, at: network.now + NeighborTable.lifetime)
        let waiting = neighbors[number].waiting
        guard !waiting.isEmpty else { return }
        neighbors[number].waiting = []
        for packet in waiting { output(packet, via: number, &network) }
    }

    mutating func neighborTimersDue(_ network: inout Network) {
        while let number = neighbors.timers.takeDue(at: network.now) {
            switch neighbors[number].state {
            case .failed:
                break
            case .reachable:
                neighbors[number].state = .probing
                neighbors[number].attempts = 1
                solicit(number, &network)
            case .incomplete, .probing:
                retryOrFail(number, &network)
            }
        }
    }

    /// Everything that waits is lost, and nothing is forwarded until the power is back.
    mutating func powerOff(_ network: inout Network) {
        isRunning = false
        for number in neighbors.neighbors.indices { fail(number, .nodeDown, &network) }
    }

    /// A port went down: nobody is known behind it any more.
    mutating func forgetNeighbors(on port: Int, _ network: inout Network) {
        for number in neighbors.neighbors.indices where neighbors.neighbors[number].port == port {
            fail(number, .portDown, &network)
        }
    }

    private mutating func setTimer(_ number: Int, at instant: Instant) {
        neighbors.timers.set(number, at: instant)
        hasNewTimer = true
    }

    private mutating func retryOrFail(_ number: Int, _ network: inout Network) {
        guard neighbors[number].attempts < NeighborTable.attemptLimit else {
            return fail(number, .noNeighbor, &network)
        }
        neighbors[number].attempts += 1
        solicit(number, &network)
    }

    private mutating func fail(_ number: Int, _ cause: DropCause, _ network: inout Network) {
        neighbors[number].state = .failed
        noteChange(of: number)
        neighbors.timers.set(number, at: nil)
        let waiting = neighbors[number].waiting
        neighbors[number].waiting = []
        for packet in waiting {
            if cause == .noNeighbor { reportUnreachable(packet, .host, &network) }
            network.drop(packet, cause)
        }
    }

    private mutating func noteChange(of number: Int) {
        if hasDataplane { changedNeighbors.append(number) }
    }

    private mutating func answer(_ request: ARPPacket, on port: Int, _ network: inout Network) {
        let reply = ARPPacket(
            .reply, sender: request.target, at: ports[port].hardware, target: request.sender,
            at: request.senderHardware)
        send(reply, to: request.senderHardware, on: port, &network)
    }

    private func send(_ message: ARPPacket, to hardware: MACAddress, on port: Int, _ network: inout Network) {
        let start = network.scratch.count
        EthernetHeader(destination: hardware, source: ports[port].hardware, etherType: EtherType.arp)
            .append(to: &network.scratch)
        message.append(to: &network.scratch)
        let packet = network.originate(from: start, tag: 0)
        network.scratch.removeAll()
        network.transmit(packet, on: ports[port].direction)
    }
}
