import Basics
import Machine
import Telemetry
import Wire

/// What could not be reached, for the code of an ICMP error.
enum UnreachableKind {
    case network
    case host
    case port
}

extension Kernel {
    /// ICMP for this kernel: echoes are answered, "too big" reaches the streams (RFC 792, RFC 1191).
    mutating func receiveICMP(_ local: LocalPacket, _ network: inout Network) -> Disposition {
        guard let header = network.pool.icmpHeader(local),
            network.pool.checksum(local.payload, of: local.packet) == 0
        else {
            network.drop(local.packet, .badChecksum)
            return .done
        }
        switch header.type {
        case ICMPv4.echoRequest:
            answerEcho(local, reply: ICMPv4.echoReply, &network)
        case ICMPv4.unreachable where header.code == ICMPv4.tooBigCode:
            return pathMTUReported(Int(header.rest & 0xFFFF), local, &network)
        default:
            network.deliver(local.packet)
        }
        return .done
    }

    /// ICMPv6 for this kernel beside neighbour discovery (RFC 4443).
    mutating func receiveICMPv6(_ local: LocalPacket, _ network: inout Network) -> Disposition {
        guard let header = network.pool.icmpHeader(local), network.pool.isIntactICMPv6(local) else {
            network.drop(local.packet, .badChecksum)
            return .done
        }
        switch header.type {
        case ICMPv6.echoRequest:
            answerEcho(local, reply: ICMPv6.echoReply, &network)
        case ICMPv6.tooBig:
            return pathMTUReported(Int(header.rest), local, &network)
        default:
            network.deliver(local.packet)
        }
        return .done
    }

    private mutating func answerEcho(_ local: LocalPacket, reply type: UInt8, _ network: inout Network) {
        let start = network.scratch.count
        network.pool.append(local.payload, of: local.packet, to: &network.scratch)
        network.scratch.patch(UInt16(type) << 8, at: start)
        network.scratch.patch(0 as UInt16, at: start + 2)
        network.deliver(local.packet)
        sendICMP(from: local.destination, to: local.source, messageStart: start, &network)
    }

    mutating func reportUnreachable(_ packet: PacketID, _ kind: UnreachableKind, _ network: inout Network) {
        let code4 =
            switch kind {
            case .network: ICMPv4.networkUnreachableCode
            case .host: ICMPv4.hostUnreachableCode
            case .port: ICMPv4.portUnreachableCode
            }
        let code6 =
            switch kind {
            case .network: ICMPv6.noRouteCode
            case .host: ICMPv6.addressUnreachableCode
            case .port: ICMPv6.portUnreachableCode
            }
        report(
            packet, ICMPHeader(type: ICMPv4.unreachable, code: code4),
            ICMPHeader(type: ICMPv6.unreachable, code: code6), &network)
    }

    mutating func reportTimeExceeded(_ packet: PacketID, _ network: inout Network) {
        report(
            packet, ICMPHeader(type: ICMPv4.timeExceeded, code: 0), ICMPHeader(type: ICMPv6.timeExceeded, code: 0),
            &network)
    }

    mutating func reportTooBig(_ packet: PacketID, mtu: Int, _ network: inout Network) {
        report(
            packet, ICMPHeader(type: ICMPv4.unreachable, code: ICMPv4.tooBigCode, rest: UInt32(mtu)),
            ICMPHeader(type: ICMPv6.tooBig, code: 0, rest: UInt32(mtu)), &network)
    }

    /// Tells a packet's sender what became of it, unless the packet is one that no error may answer (RFC 1122 §3.2.2).
    private mutating func report(
        _ packet: PacketID, _ header4: ICMPHeader, _ header6: ICMPHeader, _ network: inout Network
    ) {
        let source: IPAddress
        let destination: IPAddress
        if let header = network.pool.ipv4Header(packet) {
            guard header.fragmentOffset == 0, header.source != .any, header.source.bits >> 28 < 14,
                header.destination.bits >> 28 < 14,
                header.protocolNumber != ProtocolNumber.icmp
                    || !network.pool.isICMPError(packet, at: header.headerLength, isIPv4: true)
            else { return }
            (source, destination) = (.v4(header.source), .v4(header.destination))
        } else if let header = network.pool.ipv6Header(packet) {
            guard !header.source.isMulticast, header.source != .any, !header.destination.isMulticast,
                header.protocolNumber != ProtocolNumber.icmpv6
                    || !network.pool.isICMPError(packet, at: header.headerLength, isIPv4: false)
            else { return }
            (source, destination) = (.v6(header.source), .v6(header.destination))
        } else {
            return
        }
        guard let local = errorSource(toward: source, about: destination), errorLimiter.allows(at: network.now) else {
            return
        }
        let start = network.scratch.count
        (source.isIPv4 ? header4 : header6).append(to: &network.scratch)
        // As much of the packet as keeps the error within 576 bytes (RFC 1812 §4.3.2.3).
        let quoted = Self.ipOffset..<min(network.pool.byteCount(packet), Self.ipOffset + 520)
        network.pool.append(quoted, of: packet, to: &network.scratch)
        sendICMP(from: local, to: source, messageStart: start, &network)
    }

    /// The address that an error about `destination` is sent from: the packet's own destination if it is ours.
    private func errorSource(toward source: IPAddress, about destination: IPAddress) -> IPAddress? {
        if nextHop(to: destination) == .local { return destination }
        if let hop = nextHop(to: source), let address = sourceAddress(for: hop, to: source) { return address }
        if source.isIPv4 { return ports.lazy.compactMap(\.address4).first.map { .v4($0) } }
        return ports.lazy.compactMap(\.address6).first.map { .v6($0) }
    }

    /// Sends the ICMP message that stands at the end of the scratch arena, its checksum still 0.
    private mutating func sendICMP(
        from source: IPAddress, to destination: IPAddress, messageStart: Int, _ network: inout Network
    ) {
        let range = ByteRange(start: messageStart, count: network.scratch.count - messageStart)
        let protocolNumber = source.isIPv4 ? ProtocolNumber.icmp : ProtocolNumber.icmpv6
        var sum = Checksum()
        if !source.isIPv4 {
            sum.addPseudoHeader(
                source: source, destination: destination, protocolNumber: protocolNumber,
                byteCount: Int(range.count))
        }
        network.scratch.patch(network.scratch.checksum(range, after: sum), at: messageStart + 2)
        sendIP(range, protocolNumber: protocolNumber, from: source, to: destination, tag: 0, &network)
        network.scratch.removeAll()
    }

    /// Wraps octets of the scratch arena in an IP packet of this kernel's own and routes it.
    mutating func sendIP(
        _ payload: ByteRange, protocolNumber: UInt8, from source: IPAddress, to destination: IPAddress, tag: UInt32,
        _ network: inout Network
    ) {
        guard let nextHop = nextHop(to: destination) ?? port(with: source) else {
            network.ledger.sent(tag)
            return network.ledger.dropped(tag, .noRoute)
        }
        let packet = network.wrap(
            payload, protocolNumber: protocolNumber, from: source, to: destination,
            identification: nextIdentification(), tag: tag)
        output(packet, to: destination, by: nextHop, &network)
    }

    /// The way out of the port that has an address: an answer leaves where the question came in.
    private func port(with address: IPAddress) -> NextHop? {
        for (index, port) in ports.enumerated() {
            if let own = port.address4, .v4(own) == address, let gateway = port.gateway4 {
                return .port(index, gateway: .v4(gateway))
            }
            if let own = port.address6, .v6(own) == address, let gateway = port.gateway6 {
                return .port(index, gateway: .v6(gateway))
            }
        }
        return nil
    }

    mutating func nextIdentification() -> UInt16 {
        identification &+= 1
        return identification
    }
}

extension Network {
    /// A frame around octets of the scratch arena: room for Ethernet, the IP header, the octets.
    mutating func wrap(
        _ payload: ByteRange, protocolNumber: UInt8, from source: IPAddress, to destination: IPAddress,
        identification: UInt16, tag: UInt32
    ) -> PacketID {
        let count = Int(payload.count)
        let offset = Kernel.ipOffset + (source.isIPv4 ? IPv4Header.minimumByteCount : IPv6Header.minimumByteCount)
        let packet = pool.allocate(byteCount: offset + count, tag: tag)
        ledger.sent(tag)
        scratch.copy(payload, to: packet, at: offset, in: &pool)
        pool.writeIPHeader(
            packet, protocolNumber: protocolNumber, from: source, to: destination, payloadByteCount: count,
            identification: identification)
        return packet
    }
}

extension PacketPool {
    /// Writes the EtherType and the IP header of a frame that a kernel originates.
    mutating func writeIPHeader(
        _ packet: PacketID, protocolNumber: UInt8, from source: IPAddress, to destination: IPAddress,
        payloadByteCount: Int, identification: UInt16
    ) {
        switch (source, destination) {
        case (.v4(let source), .v4(let destination)):
            let length = IPv4Header.minimumByteCount + payloadByteCount
            let first = 0x4500_0000 | UInt32(truncatingIfNeeded: length)
            let second = UInt32(identification) << 16 | 0x4000
            let third = 64 << 24 | UInt32(protocolNumber) << 16
            var sum = Checksum()
            sum.add(first)
            sum.add(second)
            sum.add(third)
            sum.add(source.bits)
            sum.add(destination.bits)
            let addresses = UInt64(source.bits) << 32 | UInt64(destination.bits)
            withOctets(of: packet) { octets in
                precondition(octets.count >= 34)
                unsafe octets.storeBytes(of: EtherType.ipv4.bigEndian, toByteOffset: 12, as: UInt16.self)
                unsafe octets.storeBytes(
                    of: (UInt64(first) << 32 | UInt64(second)).bigEndian, toByteOffset: 14, as: UInt64.self)
                unsafe octets.storeBytes(
                    of: (third | UInt32(sum.value)).bigEndian, toByteOffset: 22, as: UInt32.self)
                unsafe octets.storeBytes(of: addresses.bigEndian, toByteOffset: 26, as: UInt64.self)
            }
        case (.v6(let source), .v6(let destination)):
            patch(EtherType.ipv6, at: 12, of: packet)
            patch(0x6000_0000 as UInt32, at: 14, of: packet)
            patch(UInt16(truncatingIfNeeded: payloadByteCount), at: 18, of: packet)
            patch(UInt16(protocolNumber) << 8 | 64, at: 20, of: packet)
            patch(source.high, at: 22, of: packet)
            patch(source.low, at: 30, of: packet)
            patch(destination.high, at: 38, of: packet)
            patch(destination.low, at: 46, of: packet)
        case (.v4, .v6), (.v6, .v4):
            preconditionFailure("a packet's addresses are of two families")
        }
    }
}
