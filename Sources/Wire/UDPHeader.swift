public import Basics

/// A UDP header (RFC 768).
public struct UDPHeader: Equatable, Sendable, BitwiseCopyable {
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// Header and payload together.
    public var length: Int
    /// 0 where the sender computed none.
    public var checksum: UInt16

    public static let byteCount = 8

    @inlinable
    public init(sourcePort: UInt16, destinationPort: UInt16, payloadByteCount: Int, checksum: UInt16 = 0) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        length = Self.byteCount + payloadByteCount
        self.checksum = checksum
    }

    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        sourcePort = try reader.read()
        destinationPort = try reader.read()
        let length: UInt16 = try reader.read()
        checksum = try reader.read()
        self.length = Int(length)
        guard self.length >= Self.byteCount, self.length <= bytes.byteCount else { throw .badLength(self.length) }
    }

    /// Writes the header with the checksum that it holds.
    public func append(to arena: inout ByteArena) {
        let ports = UInt32(sourcePort) << 16 | UInt32(destinationPort)
        let rest = UInt32(UInt16(truncatingIfNeeded: length)) << 16 | UInt32(checksum)
        arena.append(UInt64(ports) << 32 | UInt64(rest))
    }

    /// The checksum of a datagram, header included, whose own checksum field is 0; never 0 itself.
    public static func checksum(of datagram: RawSpan, from source: IPAddress, to destination: IPAddress) -> UInt16 {
        var sum = Checksum()
        sum.addPseudoHeader(
            source: source, destination: destination, protocolNumber: ProtocolNumber.udp,
            byteCount: datagram.byteCount)
        sum.add(datagram)
        return sum.value == 0 ? 0xFFFF : sum.value
    }

    /// Whether a datagram as received carries no checksum (IPv4 only) or a right one.
    public static func isIntact(_ datagram: RawSpan, from source: IPAddress, to destination: IPAddress) -> Bool {
        guard datagram.byteCount >= byteCount else { return false }
        if datagram.unsafeLoadUnaligned(fromByteOffset: 6, as: UInt16.self) == 0 { return source.isIPv4 }
        var sum = Checksum()
        sum.addPseudoHeader(
            source: source, destination: destination, protocolNumber: ProtocolNumber.udp,
            byteCount: datagram.byteCount)
        sum.add(datagram)
        return sum.value == 0
    }
}
