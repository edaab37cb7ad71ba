import Basics
import TestKit
import Wire

/// Packets that the tests send, and what they read out of those that come.
enum Octets {
    /// A UDP packet from one address to another, IPv4 or IPv6 as these are.
    static func udp(
        from source: IPAddress, to destination: IPAddress, ports: (source: UInt16, destination: UInt16) = (40_000, 9_000),
        dscp: UInt8 = 0, payload: [UInt8]
    ) -> [UInt8] {
        written { arena in
            let size = UDPHeader.byteCount + payload.count
            switch (source, destination) {
            case (.v4(let source), .v4(let destination)):
                IPv4Header(
                    source: source, destination: destination, protocolNumber: ProtocolNumber.udp,
                    payloadByteCount: size, trafficClass: dscp << 2
                ).append(to: &arena)
            case (.v6(let source), .v6(let destination)):
                IPv6Header(
                    source: source, destination: destination, protocolNumber: ProtocolNumber.udp,
                    payloadByteCount: size, trafficClass: dscp << 2
                ).append(to: &arena)
            default:
                preconditionFailure("two families in one packet")
            }
            let start = arena.count
            UDPHeader(
                sourcePort: ports.source, destinationPort: ports.destination, payloadByteCount: payload.count
            ).append(to: &arena)
            arena.append(payload.span.bytes)
            let checksum = UDPHeader.checksum(
                of: arena.bytes(ByteRange(start: start, count: size)), from: source, to: destination)
            arena.patch(checksum, at: start + 6)
        }
    }

    /// Where an IP packet goes.
    static func destination(of packet: [UInt8]) -> IPAddress? {
        packet.reading { span in
            if let header = try? IPv4Header(parsing: span) { return .v4(header.destination) }
            if let header = try? IPv6Header(parsing: span) { return .v6(header.destination) }
            return nil
        }
    }

    /// The number of a tunnel in a GENEVE header: the VNI of RFC 8926 §3.4.
    static func tunnelNumber(of datagram: [UInt8]) -> UInt32 {
        datagram[4..<7].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Whether a datagram is for the tunnel's end itself: the O bit.
    static func isControl(_ datagram: [UInt8]) -> Bool { datagram[1] & 0x80 != 0 }

    /// What comes after the GENEVE header and its options.
    static func inner(_ datagram: [UInt8]) -> [UInt8] { Array(datagram[(8 + Int(datagram[0] & 0x3F) * 4)...]) }

    /// Whether a tunnel's payload is a BFD packet between overlay addresses (RFC 5883).
    static func isLiveness(_ datagram: [UInt8]) -> Bool {
        let packet = inner(datagram)
        return !isControl(datagram) && packet.count == 52 && packet[0] == 0x45 && packet[9] == ProtocolNumber.udp
            && packet[22...23].elementsEqual([0x12, 0xB0])
    }
}
