import Basics
import Machine
import Telemetry
import Wire

extension Kernel {
    /// An IPv4 packet in a frame: forwarded, or handed up (RFC 1812 §5).
    @inline(__always)
    mutating func receiveIPv4(
        _ packet: PacketID, _ head: FrameHead, on port: Int, _ network: inout Network
    ) -> Disposition {
        guard head.isSoundIPv4 || network.pool.ipv4Header(packet) != nil else {
            network.drop(packet, .badChecksum)
            return .done
        }
        if head.byteCount < network.pool.byteCount(packet) { network.pool.truncate(packet, to: head.byteCount) }
        let destination = head.destination
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
        case .spread(let group):
            // Each flow has a way of its own, so that there is none of the destination's to remember.
            let hop = hop(of: group, for: packet, network)
            forward(packet, via: neighbors.number(of: hop.gateway, on: hop.port), from: port, &network)
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
        let mtu = overlayMTU(at: network.now)
        guard network.pool.byteCount(packet) - Self.ipOffset <= mtu else {
            reportTooBig(packet, mtu: mtu, &network)
            network.drop(packet, .tooBig)
            return .done
        }
        network.pool.trimFront(Self.ipOffset, of: packet)
        return .overlay(packet)
    }

    /// Takes one from the time to live; false where the packet ends here.
    @inline(__always)
    private mutating func decrementTimeToLive(_ packet: PacketID, _ network: inout Network) -> Bool {
        if network.pool.decrementTimeToLive(packet) { return true }
        reportTimeExceeded(packet, &network)
        network.drop(packet, .timeToLive)
        return false
    }

    /// A packet for this kernel itself; one from the overlay interface waits until the machine's turn is over.
    mutating func receiveLocally(_ packet: PacketID, on port: Int, _ network: inout Network) -> Disposition {
        guard port != Self.overlayInterface else {
            deferred.append(DeferredPacket(packet: packet, kind: .toSelf))
            return .done
        }
        guard let local = network.pool.localPacket(packet) else {
            network.drop(packet, .unsupported)
            return .done
        }
        return dispatch(local, &network)
    }

    /// Hands a packet for this kernel to its upper layer.
    @inline(__always)
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
