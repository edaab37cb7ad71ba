import Basics
import Machine
import Telemetry
import Wire

extension Kernel {
    /// An IPv4 packet in a frame: forwarded, or handed up (RFC 1812 §5).
    mutating func receiveIPv4(_ packet: PacketID, on port: Int, _ network: inout Network) -> Disposition {
        guard isSoundIPv4(packet, &network) else {
            network.drop(packet, .badChecksum)
            return .done
        }
        let destination: UInt32 = network.pool.load(packet, at: 30)
        let entry = cache.entry(for: destination)
        guard entry.address == destination, entry.generation == forwarding.generation else {
            return routeIPv4(packet, to: IPv4Address(bits: destination), on: port, &network)
        }
        switch entry.port {
        case DestinationCache.localPort:
            return receiveLocally(packet, on: port, &network)
        case DestinationCache.overlayPort:
            return enterOverlay(packet, on: port, &network)
        default:
            forward(packet, via: Int(entry.neighbor), from: port, &network)
            return .done
        }
    }

    /// Looks the route up, remembers it and goes on with it.
    private mutating func routeIPv4(
        _ packet: PacketID, to destination: IPv4Address, on port: Int, _ network: inout Network
    ) -> Disposition {
        var entry = DestinationCache.Entry(address: destination.bits, generation: forwarding.generation)
        switch forwarding.nextHop(to: destination) {
        case nil:
            reportUnreachable(packet, .network, &network)
            network.drop(packet, .noRoute)
            return .done
        case .local:
            entry.port = DestinationCache.localPort
            cache.store(entry)
            return receiveLocally(packet, on: port, &network)
        case .overlay:
            entry.port = DestinationCache.overlayPort
            cache.store(entry)
            return enterOverlay(packet, on: port, &network)
        case .port(let out, let gateway):
            let neighbor = neighbors.number(of: gateway ?? .v4(destination), on: out)
            entry.port = UInt16(out)
            entry.neighbor = UInt32(neighbor)
            cache.store(entry)
            forward(packet, via: neighbor, from: port, &network)
            return .done
        }
    }

    private mutating func forward(
        _ packet: PacketID, via neighbor: Int, from port: Int, _ network: inout Network
    ) {
        guard decrementTimeToLive(packet, &network) else { return }
        let mtu = ports[neighbors.neighbors[neighbor].port].mtu
        guard network.pool.byteCount(packet) - Self.ipOffset <= mtu else {
            reportTooBig(packet, mtu: mtu, &network)
            return network.drop(packet, .tooBig)
        }
        output(packet, via: neighbor, &network)
    }

    private mutating func enterOverlay(_ packet: PacketID, on port: Int, _ network: inout Network) -> Disposition {
        guard decrementTimeToLive(packet, &network) else { return .done }
        guard network.pool.byteCount(packet) - Self.ipOffset <= overlayMTU else {
            reportTooBig(packet, mtu: overlayMTU, &network)
            network.drop(packet, .tooBig)
            return .done
        }
        network.pool.trimFront(Self.ipOffset, of: packet)
        return .overlay(packet)
    }

    /// Takes one from the time to live and corrects the checksum (RFC 1624); false where the packet ends here.
    private mutating func decrementTimeToLive(_ packet: PacketID, _ network: inout Network) -> Bool {
        let word: UInt16 = network.pool.load(packet, at: 22)
        guard word >> 8 > 1 else {
            reportTimeExceeded(packet, &network)
            network.drop(packet, .timeToLive)
            return false
        }
        let checksum: UInt16 = network.pool.load(packet, at: 24)
        network.pool.patch(word &- 0x0100, at: 22, of: packet)
        network.pool.patch(Checksum.updated(checksum, from: word, to: word &- 0x0100), at: 24, of: packet)
        return true
    }

    /// Whether lengths and checksum are right; padding behind the packet is cut off.
    private func isSoundIPv4(_ packet: PacketID, _ network: inout Network) -> Bool {
        let byteCount = network.pool.byteCount(packet)
        guard byteCount >= Self.ipOffset + IPv4Header.minimumByteCount else { return false }
        let first: UInt32 = network.pool.load(packet, at: 14)
        let total = Int(first & 0xFFFF)
        guard first >> 28 == 4, total <= byteCount - Self.ipOffset else { return false }
        if first >> 24 & 15 == 5 {
            var sum = Checksum()
            sum.add(first)
            sum.add(network.pool.load(packet, at: 18, as: UInt32.self))
            sum.add(network.pool.load(packet, at: 22, as: UInt32.self))
            sum.add(network.pool.load(packet, at: 26, as: UInt32.self))
            sum.add(network.pool.load(packet, at: 30, as: UInt32.self))
            guard sum.value == 0, total >= IPv4Header.minimumByteCount else { return false }
        } else {
            let header = network.pool.bytes(packet).from(Self.ipOffset)
            guard (try? IPv4Header(parsing: header)) != nil else { return false }
        }
        if total < byteCount - Self.ipOffset { network.pool.truncate(packet, to: Self.ipOffset + total) }
        return true
    }

    /// A packet for this kernel itself; one from the overlay interface waits until the machine's turn is over.
    mutating func receiveLocally(_ packet: PacketID, on port: Int, _ network: inout Network) -> Disposition {
        guard port != Self.overlayInterface else {
            deferred.append(DeferredPacket(packet: packet, kind: .toSelf))
            return .done
        }
        let bytes = network.pool.bytes(packet).from(Self.ipOffset)
        guard let header = try? IPv4Header(parsing: bytes) else {
            network.drop(packet, .malformed)
            return .done
        }
        guard !header.moreFragments, header.fragmentOffset == 0 else {
            network.drop(packet, .unsupported)
            return .done
        }
        let local = LocalPacket(
            packet: packet, source: .v4(header.source), destination: .v4(header.destination),
            protocolNumber: header.protocolNumber,
            payload: Self.ipOffset + header.headerLength..<Self.ipOffset + header.totalLength)
        return dispatch(local, &network)
    }

    /// Hands a packet for this kernel to its upper layer.
    mutating func dispatch(_ local: LocalPacket, _ network: inout Network) -> Disposition {
        switch local.protocolNumber {
        case ProtocolNumber.udp:
            return receiveUDP(local, &network)
        case ProtocolNumber.tcp:
            return receiveTCP(local, &network)
        case ProtocolNumber.icmp where local.source.isIPv4:
            return receiveICMP(local, &network)
        case ProtocolNumber.icmpv6 where !local.source.isIPv4:
            return receiveICMPv6(local, &network)
        default:
            network.drop(local.packet, .unsupported)
            return .done
        }
    }
}

/// A packet that has reached its destination's kernel, with what its IP header says.
struct LocalPacket {
    let packet: PacketID
    let source: IPAddress
    let destination: IPAddress
    let protocolNumber: UInt8
    /// Where the upper layer lies in the frame.
    let payload: Range<Int>
}
