import Attacks
import Basics
import TestKit
import Wire

let start = Instant.zero + .seconds(90)
let victim4 = IPAddress.v4(IPv4Address(192, 0, 2, 10))
let victim6 = IPAddress.v6(IPv6Address(high: 0x2001_0DB8 << 32, low: 10))

func configuration(
    _ kind: FloodKind, _ rate: FloodRate, lasting: Interval, at target: IPAddress = victim4,
    sourceCount: UInt32? = nil, largestPacket: Int = 1_500
) -> FloodConfiguration {
    FloodConfiguration(
        kind, at: target, rate: rate, start: start, stop: start + lasting, sourceCount: sourceCount,
        largestPacket: largestPacket)
}

/// The first packets of a flood.
func packets(
    _ kind: FloodKind, _ count: Int, at target: IPAddress = victim4, sourceCount: UInt32? = nil,
    largestPacket: Int = 1_500, seed: UInt64 = 1
) -> [[UInt8]] {
    var generator = FloodGenerator(
        configuration(
            kind, .packets(PacketRate(packetsPerSecond: 1_000_000)), lasting: .seconds(100), at: target,
            sourceCount: sourceCount, largestPacket: largestPacket),
        random: SeededRandom(seed: seed))
    var arena = ByteArena(capacity: 4_096)
    return (0..<count).compactMap { _ in
        arena.removeAll()
        guard let due = generator.nextDeadline, let range = generator.next(at: due, into: &arena) else { return nil }
        return arena.bytes(range).withUnsafeBytes { Array($0) }
    }
}

/// An IP packet taken apart by the parsers that everything else uses.
struct ParsedPacket {
    var source: IPAddress
    var destination: IPAddress
    var protocolNumber: UInt8
    var hopLimit: UInt8
    var identification: UInt16 = 0
    var byteCount: Int
    var transport: [UInt8]

    init(_ octets: [UInt8]) throws {
        byteCount = octets.count
        if octets[0] >> 4 == 4 {
            let header = try octets.reading { span throws(WireError) in try IPv4Header(parsing: span) }
            (source, destination) = (.v4(header.source), .v4(header.destination))
            (protocolNumber, hopLimit) = (header.protocolNumber, header.timeToLive)
            identification = header.identification
            transport = Array(octets[header.headerLength..<header.totalLength])
        } else {
            let header = try octets.reading { span throws(WireError) in try IPv6Header(parsing: span) }
            (source, destination) = (.v6(header.source), .v6(header.destination))
            (protocolNumber, hopLimit) = (header.protocolNumber, header.hopLimit)
            transport = Array(octets[header.headerLength..<header.totalLength])
        }
    }

    /// Whether the transport's checksum is right, and there is one.
    var isIntact: Bool {
        var sum = Checksum()
        if protocolNumber != ProtocolNumber.icmp {
            sum.addPseudoHeader(
                source: source, destination: destination, protocolNumber: protocolNumber, byteCount: transport.count)
        }
        sum.add(transport.span.bytes)
        return sum.value == 0
    }

    func segment() throws -> TCPHeader {
        try transport.reading { span throws(WireError) in try TCPHeader(parsing: span) }
    }

    func datagram() throws -> UDPHeader {
        try transport.reading { span throws(WireError) in try UDPHeader(parsing: span) }
    }

    func message() throws -> ICMPHeader {
        try transport.reading { span throws(WireError) in try ICMPHeader(parsing: span) }
    }
}
