import Basics
import Dataplane
import TestKit
import Testing
import Tunnel
import Wire

/// Ethernet addresses of the tests: the port's own, the sender's, the next hop's.
let portAddress = MACAddress(bits: 0x0200_0000_0001)
let senderAddress = MACAddress(bits: 0x0200_0000_0002)
let nextAddress = MACAddress(bits: 0x0200_0000_0009)

/// The one port that a kernel without other interfaces has.
let port = DataplanePort(1)

func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

/// A packet to be built; what a test does not say is plain.
struct Packet {
    var source: String
    var destination: String
    var sourcePort: UInt16 = 1000
    var destinationPort: UInt16 = 80
    var hopLimit: UInt8 = 64
    var trafficClass: UInt8 = 0
    var doNotFragment = true
    var payload: [UInt8] = []

    init(_ source: String = "10.1.0.2", _ destination: String = "10.2.0.2") {
        self.source = source
        self.destination = destination
    }

    func tcp(_ flags: TCPFlags = .acknowledge, sequence: UInt32 = 1, acknowledgment: UInt32 = 1) throws -> [UInt8] {
        var segment = written {
            TCPHeader(
                sourcePort: sourcePort, destinationPort: destinationPort, sequence: sequence,
                acknowledgment: acknowledgment, flags: flags, window: 1000
            ).append(to: &$0)
        }
        segment += payload
        return try ip(ProtocolNumber.tcp, segment, checksumAt: 16)
    }

    func udp() throws -> [UInt8] {
        let header = UDPHeader(
            sourcePort: sourcePort, destinationPort: destinationPort, payloadByteCount: payload.count)
        return try ip(ProtocolNumber.udp, written { header.append(to: &$0) } + payload, checksumAt: 6)
    }

    /// An echo request, or a message of another type.
    func icmp(type: UInt8? = nil, identifier: UInt16 = 7) throws -> [UInt8] {
        let isIPv4 = try address(source).isIPv4
        let type = type ?? (isIPv4 ? 8 : 128)
        let message: [UInt8] =
            [type, 0, 0, 0, UInt8(identifier >> 8), UInt8(identifier & 255), 0, 1] + payload
        return try ip(isIPv4 ? 1 : 58, message, checksumAt: 2)
    }

    /// The IP packet around what is given, with the checksum that belongs at an offset in it.
    func ip(_ protocolNumber: UInt8, _ transport: [UInt8], checksumAt offset: Int? = nil) throws -> [UInt8] {
        let from = try address(source)
        let to = try address(destination)
        var transport = transport
        if let offset {
            var sum = Checksum()
            if protocolNumber != 1 {
                sum.addPseudoHeader(
                    source: from, destination: to, protocolNumber: protocolNumber, byteCount: transport.count)
            }
            sum.add(transport.span.bytes)
            let value = sum.value == 0 && protocolNumber == ProtocolNumber.udp ? 0xFFFF : sum.value
            transport[offset] = UInt8(value >> 8)
            transport[offset + 1] = UInt8(value & 255)
        }
        switch (from, to) {
        case (.v4(let from), .v4(let to)):
            return written {
                IPv4Header(
                    source: from, destination: to, protocolNumber: protocolNumber, payloadByteCount: transport.count,
                    timeToLive: hopLimit, trafficClass: trafficClass, doNotFragment: doNotFragment
                ).append(to: &$0)
            } + transport
        case (.v6(let from), .v6(let to)):
            return written {
                IPv6Header(
                    source: from, destination: to, protocolNumber: protocolNumber, payloadByteCount: transport.count,
                    hopLimit: hopLimit, trafficClass: trafficClass
                ).append(to: &$0)
            } + transport
        default: throw WireError.unsupported
        }
    }
}

/// The frame around an IP packet.
func frame(
    _ packet: [UInt8], to destination: MACAddress = portAddress, from source: MACAddress = senderAddress,
    tags: [UInt16] = []
) -> [UInt8] {
    let type = (packet.first ?? 0) >> 4 == 6 ? EtherType.ipv6 : EtherType.ipv4
    return written { arena in
        EthernetHeader(destination: destination, source: source, etherType: tags.isEmpty ? type : EtherType.vlan)
            .append(to: &arena)
        for (place, tag) in tags.enumerated() {
            arena.append(tag)
            arena.append(place == tags.count - 1 ? type : EtherType.vlan)
        }
    } + packet
}

/// The packet one hop further, its header's checksum right again.
func oneHopFurther(_ packet: [UInt8]) -> [UInt8] {
    var packet = packet
    guard packet[0] >> 4 == 4 else {
        packet[7] -= 1
        return packet
    }
    packet[8] -= 1
    packet[10] = 0
    packet[11] = 0
    var sum = Checksum()
    let header = Array(packet[..<20])
    sum.add(header.span.bytes)
    packet[10] = UInt8(sum.value >> 8)
    packet[11] = UInt8(sum.value & 255)
    return packet
}

/// A datagram of the fast path, as the tunnel's own encoder writes its header.
struct FastDatagram {
    var source = "192.0.2.1"
    var destination = "192.0.2.2"
    var number: UInt32 = 7
    var sequence: UInt32 = 100
    var timestamp: UInt32 = 0
    var flags = PathFlags(rawValue: 4)
    var isControl = false
    var sourcePort: UInt16 = 6081
    var trafficClass: UInt8 = 0
    var hasChecksum = false

    func packet(around inner: [UInt8]) throws -> [UInt8] {
        let type = inner[0] >> 4 == 6 ? EtherType.ipv6 : EtherType.ipv4
        let payload =
            written {
                TunnelHeader(
                    tunnelNumber: number, protocolType: type, isControl: isControl,
                    path: PathOption(sequence: sequence, timestamp: timestamp, flags: flags)
                ).append(to: &$0, payloadByteCount: inner.count)
            } + inner
        var outer = Packet(source, destination)
        outer.trafficClass = trafficClass
        let datagram =
            written {
                UDPHeader(sourcePort: sourcePort, destinationPort: 6081, payloadByteCount: payload.count)
                    .append(to: &$0)
            } + payload
        return try outer.ip(ProtocolNumber.udp, datagram, checksumAt: hasChecksum ? 6 : nil)
    }
}
