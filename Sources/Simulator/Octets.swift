import Basics
import Machine
import Steering
import TCP
import Telemetry
import Wire

// A span borrows its owner for as long as it lives, so whoever needs a packet's octets
// and wants to change something else at the same time asks the owner of the octets to
// do it: these are the owners' side of such requests.

extension PacketPool {
    borrowing func arpPacket(_ packet: PacketID) -> ARPPacket? {
        try? ARPPacket(parsing: bytes(packet).from(EthernetHeader.byteCount))
    }

    borrowing func ipv4Header(_ packet: PacketID) -> IPv4Header? {
        try? IPv4Header(parsing: bytes(packet).from(Kernel.ipOffset))
    }

    borrowing func ipv6Header(_ packet: PacketID) -> IPv6Header? {
        try? IPv6Header(parsing: bytes(packet).from(Kernel.ipOffset))
    }

    borrowing func icmpHeader(_ local: LocalPacket) -> ICMPHeader? {
        try? ICMPHeader(parsing: bytes(local.packet).extracting(local.payload))
    }

    @inline(__always)
    borrowing func tcpHeader(_ local: LocalPacket) -> TCPHeader? {
        try? TCPHeader(parsing: bytes(local.packet).extracting(local.payload))
    }

    /// The header of a datagram whose lengths are right.
    borrowing func udpHeader(_ local: LocalPacket) -> UDPHeader? {
        try? UDPHeader(parsing: bytes(local.packet).extracting(local.payload))
    }

    /// Whether a datagram's checksum is right, or absent where it may be.
    borrowing func isIntactDatagram(_ local: LocalPacket, _ header: UDPHeader) -> Bool {
        UDPHeader.isIntact(
            bytes(local.packet).extracting(local.payload).extracting(0..<header.length), from: local.source,
            to: local.destination)
    }

    @inline(__always)
    borrowing func isIntactSegment(_ local: LocalPacket) -> Bool {
        TCPHeader.isIntact(
            bytes(local.packet).extracting(local.payload), source: local.source, destination: local.destination)
    }

    borrowing func isIntactICMPv6(_ local: LocalPacket) -> Bool {
        var sum = Checksum()
        sum.addPseudoHeader(
            source: local.source, destination: local.destination, protocolNumber: ProtocolNumber.icmpv6,
            byteCount: local.payload.count)
        return checksum(local.payload, of: local.packet, after: sum) == 0
    }

    /// The checksum of part of a packet, on top of what has been summed already.
    borrowing func checksum(_ range: Range<Int>, of packet: PacketID, after sum: Checksum = Checksum()) -> UInt16 {
        var sum = sum
        sum.add(bytes(packet).extracting(range))
        return sum.value
    }

    /// The checksum of a datagram that stands at the end of a packet.
    borrowing func datagramChecksum(
        of packet: PacketID, at offset: Int, from source: IPAddress, to destination: IPAddress
    ) -> UInt16 {
        UDPHeader.checksum(of: bytes(packet).from(offset), from: source, to: destination)
    }

    borrowing func append(_ range: Range<Int>, of packet: PacketID, to arena: inout ByteArena) {
        arena.append(bytes(packet).extracting(range))
    }

    /// The flow's hash of the IP packet in a frame; 0 where it has none.
    borrowing func flowHash(of packet: PacketID) -> UInt32 {
        guard let head = PacketHead(parsing: bytes(packet).from(EthernetHeader.byteCount)) else { return 0 }
        return UInt32(truncatingIfNeeded: head.key.rawValue)
    }

    /// The flow of the packet that an ICMP error quotes.
    borrowing func quotedFlow(_ local: LocalPacket) -> FiveTuple? {
        FiveTuple(quoted: bytes(local.packet).extracting(local.payload).from(ICMPHeader.byteCount))
    }

    /// Whether the message at `offset` of the IP packet in a frame is an ICMP error.
    borrowing func isICMPError(_ packet: PacketID, at offset: Int, isIPv4: Bool) -> Bool {
        guard byteCount(packet) > Kernel.ipOffset + offset else { return true }
        let type: UInt8 = load(packet, at: Kernel.ipOffset + offset)
        return isIPv4 ? type != ICMPv4.echoRequest && type != ICMPv4.echoReply : type < 128
    }

    /// Hands a segment to its connection.
    borrowing func deliver(
        _ local: LocalPacket, _ header: TCPHeader, to connection: inout Connection, at now: Instant,
        into output: inout Output
    ) {
        connection.receive(
            header, payload: bytes(local.packet).extracting(local.payload).from(header.headerLength), at: now,
            into: &output)
    }

    borrowing func capture(_ packet: PacketID, link: Int, at now: Instant, into buffer: inout CaptureBuffer) {
        buffer.append(bytes(packet), link: link, at: now)
    }
}

extension ByteArena {
    /// A new packet with those octets.
    borrowing func store(_ range: ByteRange, in pool: inout PacketPool, tag: UInt32) -> PacketID {
        pool.store(bytes(range), tag: tag)
    }

    /// Copies octets over those of a packet.
    borrowing func copy(_ range: ByteRange, to packet: PacketID, at offset: Int, in pool: inout PacketPool) {
        pool.overwrite(packet, at: offset, with: bytes(range))
    }

    borrowing func checksum(_ range: ByteRange, after sum: Checksum = Checksum()) -> UInt16 {
        var sum = sum
        sum.add(bytes(range))
        return sum.value
    }
}

extension Outbox {
    /// Copies octets into a new packet, leaving `offset` bytes in front for headers.
    borrowing func store(
        _ range: ByteRange, behind offset: Int, in pool: inout PacketPool, tag: UInt32
    ) -> PacketID {
        let packet = pool.allocate(byteCount: offset + Int(range.count), tag: tag)
        pool.overwrite(packet, at: offset, with: bytes(range))
        return packet
    }

    /// Hands octets to a stream.
    borrowing func write(_ range: ByteRange, to stream: Int, of streams: inout StreamTable, at now: Instant) {
        streams.write(bytes(range), to: stream, at: now)
    }
}
