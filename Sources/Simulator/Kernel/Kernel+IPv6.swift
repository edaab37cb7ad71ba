import Basics
import Machine
import Telemetry
import Wire

extension Kernel {
    /// An IPv6 packet in a frame: forwarded, or handed up (RFC 8200).
    mutating func receiveIPv6(_ packet: PacketID, on port: Int, _ network: inout Network) -> Disposition {
        guard let header = network.pool.ipv6Header(packet) else {
            network.drop(packet, .malformed)
            return .done
        }
        network.pool.truncate(packet, to: Self.ipOffset + header.totalLength)
        if header.destination.isMulticast { return receiveLocally(packet, header, on: port, &network) }
        switch forwarding.nextHop(to: header.destination) {
        case nil:
            reportUnreachable(packet, .network, &network)
            network.drop(packet, .noRoute)
            return .done
        case .local:
            return receiveLocally(packet, header, on: port, &network)
        case .overlay:
            guard passes(packet, header, mtu: overlayMTU(at: network.now), &network) else { return .done }
            network.pool.trimFront(Self.ipOffset, of: packet)
            return .overlay(packet)
        case .port(let out, let gateway):
            guard passes(packet, header, mtu: ports[out].mtu, &network) else { return .done }
            output(packet, via: neighbors.number(of: gateway ?? .v6(header.destination), on: out), &network)
            return .done
        case .spread(let group):
            let hop = hop(of: group, for: packet, network)
            guard passes(packet, header, mtu: ports[hop.port].mtu, &network) else { return .done }
            output(packet, via: neighbors.number(of: hop.gateway, on: hop.port), &network)
            return .done
        }
    }

    mutating func receiveLocally(
        _ packet: PacketID, _ header: IPv6Header, on port: Int, _ network: inout Network
    ) -> Disposition {
        guard port != Self.overlayInterface else {
            deferred.append(DeferredPacket(packet: packet, kind: .toSelf))
            return .done
        }
        guard !header.isFragment else {
            network.drop(packet, .unsupported)
            return .done
        }
        let local = LocalPacket(
            packet: packet, source: .v6(header.source), destination: .v6(header.destination),
            protocolNumber: header.protocolNumber,
            payload: Self.ipOffset + header.headerLength..<Self.ipOffset + header.totalLength)
        if header.protocolNumber == ProtocolNumber.icmpv6,
            receiveNeighborDiscovery(local, hopLimit: header.hopLimit, on: port, &network)
        {
            return .done
        }
        return dispatch(local, &network)
    }

    /// Whether a packet may be forwarded; takes one from its hop limit.
    private mutating func passes(
        _ packet: PacketID, _ header: IPv6Header, mtu: Int, _ network: inout Network
    ) -> Bool {
        guard header.hopLimit > 1 else {
            reportTimeExceeded(packet, &network)
            network.drop(packet, .timeToLive)
            return false
        }
        guard header.totalLength <= mtu else {
            reportTooBig(packet, mtu: mtu, &network)
            network.drop(packet, .tooBig)
            return false
        }
        network.pool.patch(header.hopLimit - 1, at: Self.ipOffset + 7, of: packet)
        return true
    }

    /// Answers a solicitation, notes an advertisement (RFC 4861 §7.2); false where it is neither.
    private mutating func receiveNeighborDiscovery(
        _ local: LocalPacket, hopLimit: UInt8, on port: Int, _ network: inout Network
    ) -> Bool {
        guard local.payload.count >= 4, case .v6(let source) = local.source else { return false }
        let type: UInt8 = network.pool.load(local.packet, at: local.payload.lowerBound)
        guard type == ICMPv6.neighborSolicitation || type == ICMPv6.neighborAdvertisement else { return false }
        // What came over a router, or by no port at all, cannot be a neighbour's word (RFC 4861 §7.1).
        guard port >= 0, hopLimit == 255, local.payload.count >= 24, source != .any,
            network.pool.isIntactICMPv6(local)
        else {
            network.drop(local.packet, .malformed)
            return true
        }
        let target = IPv6Address(
            high: network.pool.load(local.packet, at: local.payload.lowerBound + 8),
            low: network.pool.load(local.packet, at: local.payload.lowerBound + 16))
        let hardware = MACAddress(
            bits: UInt64(network.pool.load(local.packet, at: 6, as: UInt32.self)) << 16
                | UInt64(network.pool.load(local.packet, at: 10, as: UInt16.self)))
        network.deliver(local.packet)
        if type == ICMPv6.neighborSolicitation {
            guard target == ports[port].address6 else { return true }
            sendDiscovery(
                ICMPv6.neighborAdvertisement, target: target, to: source, at: hardware, on: port, &network)
            confirm(neighbors.number(of: .v6(source), on: port), at: hardware, &network)
        } else if let number = neighbors.existingNumber(of: .v6(target), on: port) {
            confirm(number, at: hardware, &network)
        }
        return true
    }

    mutating func sendSolicitation(for target: IPv6Address, on port: Int, _ network: inout Network) {
        // The solicited-node group and its Ethernet address (RFC 4291 §2.7.1, RFC 2464 §7).
        let group = IPv6Address(high: 0xFF02_0000_0000_0000, low: 0x0000_0001_FF00_0000 | target.low & 0xFF_FFFF)
        let hardware = MACAddress(bits: 0x3333_0000_0000 | group.low & 0xFFFF_FFFF)
        sendDiscovery(ICMPv6.neighborSolicitation, target: target, to: group, at: hardware, on: port, &network)
    }

    private mutating func sendDiscovery(
        _ type: UInt8, target: IPv6Address, to destination: IPv6Address, at hardware: MACAddress, on port: Int,
        _ network: inout Network
    ) {
        guard let source = ports[port].address6 else { return }
        let start = network.scratch.count
        EthernetHeader(destination: hardware, source: ports[port].hardware, etherType: EtherType.ipv6)
            .append(to: &network.scratch)
        IPv6Header(
            source: source, destination: destination, protocolNumber: ProtocolNumber.icmpv6, payloadByteCount: 32,
            hopLimit: 255
        ).append(to: &network.scratch)
        let messageStart = network.scratch.count
        // Solicited and override are set in an advertisement (RFC 4861 §4.4).
        ICMPHeader(type: type, code: 0, rest: type == ICMPv6.neighborAdvertisement ? 0x6000_0000 : 0)
            .append(to: &network.scratch)
        network.scratch.append(target.high)
        network.scratch.append(target.low)
        // The link-layer address option, of the source or of the target.
        network.scratch.append(type == ICMPv6.neighborSolicitation ? 0x0101 as UInt16 : 0x0201)
        network.scratch.append(UInt16(truncatingIfNeeded: ports[port].hardware.bits >> 32))
        network.scratch.append(UInt32(truncatingIfNeeded: ports[port].hardware.bits))
        var sum = Checksum()
        sum.addPseudoHeader(
            source: .v6(source), destination: .v6(destination), protocolNumber: ProtocolNumber.icmpv6, byteCount: 32)
        let checksum = network.scratch.checksum(ByteRange(start: messageStart, count: 32), after: sum)
        network.scratch.patch(checksum, at: messageStart + 2)
        let packet = network.originate(from: start, tag: 0)
        network.scratch.removeAll()
        network.transmit(packet, on: ports[port].direction)
    }
}
