public import Telemetry
public import Wire

/// What steering looks at in an IP packet.
public struct PacketHead: Equatable, Sendable, BitwiseCopyable {
    public var flow: FiveTuple
    /// The flow's hash.
    public var key: FlowKey
    /// The upper six bits of the traffic class (RFC 2474).
    public var dscp: UInt8

    public init(flow: FiveTuple, dscp: UInt8 = 0) {
        self.flow = flow
        self.dscp = dscp
        key = flow.key
    }

    /// Reads the head of an IP packet; nil where its lengths do not fit or it is neither IPv4 nor IPv6.
    ///
    /// Checksums are the kernel's affair. All fragments of a packet go without ports,
    /// the first one too, so that they keep together.
    @inlinable
    public init?(parsing bytes: RawSpan) {
        guard bytes.byteCount >= IPv4Header.minimumByteCount else { return nil }
        switch Self.load(bytes, 0, as: UInt8.self) >> 4 {
        case 4: self.init(version4: bytes)
        case 6: self.init(version6: bytes)
        default: return nil
        }
    }

    @inlinable
    init?(version4 bytes: RawSpan) {
        let first = Self.load(bytes, 0, as: UInt32.self)
        let headerLength = Int(first >> 24 & 0x0F) &* 4
        let totalLength = Int(first & 0xFFFF)
        guard headerLength >= IPv4Header.minimumByteCount, totalLength >= headerLength,
            totalLength <= bytes.byteCount
        else { return nil }
        let isFragment = Self.load(bytes, 6, as: UInt16.self) & 0x3FFF != 0
        let protocolNumber = Self.load(bytes, 9, as: UInt8.self)
        let source = IPv4Address(bits: Self.load(bytes, 12, as: UInt32.self))
        let destination = IPv4Address(bits: Self.load(bytes, 16, as: UInt32.self))
        let ports = Self.ports(
            bytes, protocolNumber, at: headerLength, end: totalLength, isFragment: isFragment)
        self.init(
            flow: FiveTuple(
                source: .v4(source), destination: .v4(destination), protocolNumber: protocolNumber,
                sourcePort: UInt16(truncatingIfNeeded: ports >> 16),
                destinationPort: UInt16(truncatingIfNeeded: ports)),
            dscp: UInt8(truncatingIfNeeded: first >> 18 & 0x3F))
    }

    @inlinable
    @inline(never)
    init?(version6 bytes: RawSpan) {
        guard let header = try? IPv6Header(parsing: bytes) else { return nil }
        let ports = Self.ports(
            bytes, header.protocolNumber, at: header.headerLength, end: header.totalLength,
            isFragment: header.isFragment)
        self.init(
            flow: FiveTuple(
                source: .v6(header.source), destination: .v6(header.destination),
                protocolNumber: header.protocolNumber, sourcePort: UInt16(truncatingIfNeeded: ports >> 16),
                destinationPort: UInt16(truncatingIfNeeded: ports)),
            dscp: header.trafficClass >> 2)
    }

    /// Both ports in one word, the source's above; 0 where there are none.
    @inlinable
    @inline(__always)
    static func ports(
        _ bytes: RawSpan, _ protocolNumber: UInt8, at offset: Int, end: Int, isFragment: Bool
    ) -> UInt32 {
        guard protocolNumber == ProtocolNumber.udp || protocolNumber == ProtocolNumber.tcp, !isFragment,
            offset &+ 4 <= end
        else { return 0 }
        return load(bytes, offset, as: UInt32.self)
    }

    /// A field whose place the caller has checked.
    @inlinable
    @inline(__always)
    static func load<T: FixedWidthInteger & BitwiseCopyable>(_ bytes: RawSpan, _ offset: Int, as type: T.Type) -> T {
        T(bigEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
    }
}
