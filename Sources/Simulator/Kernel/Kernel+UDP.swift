import Basics
import Machine
import Steering
import Telemetry
import Wire

/// A datagram socket of the machine.
struct DatagramSocket {
    let id: SocketID
    let local: SocketAddress
    /// The port that everything sent goes out of, whatever the routes say.
    let port: Int?
    /// The destination that was sent to last, with what had to be looked up for it.
    var lastRemote: SocketAddress?
    var lastTag: UInt32 = 0
    var lastGeneration: UInt32 = 0
    var lastHop: NextHop?
    var lastNeighbor: Int?
}

/// The datagram sockets of one kernel.
struct SocketTable {
    private(set) var sockets: ContiguousArray<DatagramSocket> = []
    private var byID = IndexTable()
    private var byAddress = IndexTable()

    subscript(index: Int) -> DatagramSocket {
        _read { yield sockets[index] }
        _modify { yield &sockets[index] }
    }

    mutating func bind(_ socket: DatagramSocket) {
        let index = UInt32(sockets.count)
        sockets.append(socket)
        byID[UInt64(socket.id.rawValue)] = index
        byAddress[Self.key(socket.local.address, socket.local.port)] = index
    }

    mutating func removeAll() {
        sockets.removeAll()
        byID.removeAll()
        byAddress.removeAll()
    }

    func index(of id: SocketID) -> Int? { byID[UInt64(id.rawValue)].map { Int($0) } }

    /// The socket bound to an address, or to its port on any address.
    func index(at address: IPAddress, port: UInt16) -> Int? {
        if let exact = byAddress[Self.key(address, port)] { return Int(exact) }
        let any: IPAddress = address.isIPv4 ? .v4(.any) : .v6(.any)
        return byAddress[Self.key(any, port)].map { Int($0) }
    }

    private static func key(_ address: IPAddress, _ port: UInt16) -> UInt64 {
        switch address {
        case .v4(let address): return UInt64(address.bits) << 16 | UInt64(port)
        case .v6(let address):
            var mixed = Fingerprint()
            mixed.fold(address.high, address.low)
            mixed.fold(UInt64(port))
            return mixed.value | 1 << 63
        }
    }
}

extension Kernel {
    mutating func receiveUDP(_ local: LocalPacket, _ network: inout Network) -> Disposition {
        guard let header = network.pool.udpHeader(local) else {
            network.drop(local.packet, .malformed)
            return .done
        }
        guard network.pool.isIntactDatagram(local, header) else {
            network.drop(local.packet, .badChecksum)
            return .done
        }
        guard let index = sockets.index(at: local.destination, port: header.destinationPort) else {
            reportUnreachable(local.packet, .port, &network)
            network.drop(local.packet, .noSocket)
            return .done
        }
        let start = local.payload.lowerBound + UDPHeader.byteCount
        return .datagram(
            local.packet, socket: sockets[index].id,
            from: SocketAddress(local.source, port: header.sourcePort),
            payload: start..<local.payload.lowerBound + header.length)
    }

    /// Sends a datagram of the machine, whose payload lies in the outbox.
    mutating func send(
        _ payload: ByteRange, from id: SocketID, to remote: SocketAddress, tag inner: UInt32?,
        _ network: inout Network
    ) {
        guard let index = sockets.index(of: id), resolve(index, remote, &network) else {
            let tag = inner ?? 0
            if inner == nil { network.ledger.sent(tag) }
            return network.ledger.dropped(tag, .noRoute)
        }
        let socket = sockets[index]
        let source = sourceAddress(of: socket, to: remote.address)
        let tag = inner ?? socket.lastTag
        if inner == nil { network.ledger.sent(tag) }
        let headers = source.isIPv4 ? 28 : 48
        guard headers + Int(payload.count) <= mtu(of: socket) else { return network.ledger.dropped(tag, .tooBig) }
        let packet = network.store(payload, behind: Self.ipOffset + headers, tag: tag)
        writeUDPHeader(
            packet, from: SocketAddress(source, port: socket.local.port), to: remote,
            omitsChecksum: socket.port != nil && source.isIPv4, &network)
        if let neighbor = socket.lastNeighbor {
            output(packet, via: neighbor, &network)
        } else if let nextHop = socket.lastHop {
            output(packet, to: remote.address, by: nextHop, &network)
        }
    }

    /// The largest packet that the way out of a socket takes.
    private func mtu(of socket: DatagramSocket) -> Int {
        switch socket.lastHop {
        case .port(let port, _): ports[port].mtu
        case .spread(let group): mtu(ofGroup: group)
        case .overlay: overlayMTU
        case .local, nil: ports.map(\.mtu).max() ?? 1_500
        }
    }

    private func sourceAddress(of socket: DatagramSocket, to destination: IPAddress) -> IPAddress {
        if socket.local.address != .v4(.any), socket.local.address != .v6(.any) { return socket.local.address }
        if let hop = socket.lastHop, let address = sourceAddress(for: hop, to: destination) { return address }
        return socket.local.address
    }

    /// Looks up, for a socket and a destination, what stays the same from datagram to datagram.
    private mutating func resolve(_ index: Int, _ remote: SocketAddress, _ network: inout Network) -> Bool {
        if sockets[index].lastGeneration == forwarding.generation {
            // Out of a fixed port every destination has the same next hop.
            if sockets[index].port != nil, sockets[index].lastHop != nil { return true }
            if sockets[index].lastRemote == remote { return true }
        }
        let hop: NextHop
        if let port = sockets[index].port {
            let gateway: IPAddress? =
                remote.address.isIPv4 ? ports[port].gateway4.map { .v4($0) } : ports[port].gateway6.map { .v6($0) }
            hop = .port(port, gateway: gateway)
        } else if let found = nextHop(to: remote.address) {
            hop = found
        } else {
            return false
        }
        sockets[index].lastRemote = remote
        sockets[index].lastGeneration = forwarding.generation
        sockets[index].lastHop = hop
        if case .port(let port, let gateway) = hop {
            sockets[index].lastNeighbor = neighbors.number(of: gateway ?? remote.address, on: port)
        } else {
            sockets[index].lastNeighbor = nil
        }
        let source = sourceAddress(of: sockets[index], to: remote.address)
        sockets[index].lastTag =
            sockets[index].port != nil
            ? 0
            : network.ledger.tag(
                for: FiveTuple(
                    protocolNumber: ProtocolNumber.udp,
                    from: SocketAddress(source, port: sockets[index].local.port), to: remote
                ).key)
        return true
    }

    private mutating func writeUDPHeader(
        _ packet: PacketID, from local: SocketAddress, to remote: SocketAddress, omitsChecksum: Bool,
        _ network: inout Network
    ) {
        let offset = Self.ipOffset + (local.address.isIPv4 ? 20 : 40)
        let length = network.pool.byteCount(packet) - offset
        network.pool.writeIPHeader(
            packet, protocolNumber: ProtocolNumber.udp, from: local.address, to: remote.address,
            payloadByteCount: length, identification: nextIdentification())
        network.pool.patch(UInt32(local.port) << 16 | UInt32(remote.port), at: offset, of: packet)
        network.pool.patch(UInt32(truncatingIfNeeded: length) << 16, at: offset + 4, of: packet)
        guard !omitsChecksum else { return }
        let checksum = network.pool.datagramChecksum(
            of: packet, at: offset, from: local.address, to: remote.address)
        network.pool.patch(checksum, at: offset + 6, of: packet)
    }
}
