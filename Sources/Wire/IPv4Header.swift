public import Basics

/// The protocol numbers that the project speaks (IANA).
public enum ProtocolNumber {
    public static let icmp: UInt8 = 1
    public static let tcp: UInt8 = 6
    public static let udp: UInt8 = 17
    public static let icmpv6: UInt8 = 58
}

/// What the stack acts on of an IPv4 header (RFC 791).
///
/// Options are skipped when read and never written.
public struct IPv4Header: Equatable, Sendable, BitwiseCopyable {
    public var source: IPv4Address
    public var destination: IPv4Address
    public var protocolNumber: UInt8
    public var timeToLive: UInt8
    /// DSCP in the upper six bits, ECN in the lower two (RFC 3168).
    public var trafficClass: UInt8
    public var identification: UInt16
    public var doNotFragment: Bool
    public var moreFragments: Bool
    /// Where a fragment's payload belongs, in bytes.
    public var fragmentOffset: Int
    /// Header and payload together.
    public var totalLength: Int
    /// The header with its options.
    public var headerLength: Int

    /// The size of a header without options.
    public static let minimumByteCount = 20

    public init(
        source: IPv4Address, destination: IPv4Address, protocolNumber: UInt8, payloadByteCount: Int,
        timeToLive: UInt8 = 64, trafficClass: UInt8 = 0, identification: UInt16 = 0, doNotFragment: Bool = true
    ) {
        self.source = source
        self.destination = destination
        self.protocolNumber = protocolNumber
        self.timeToLive = timeToLive
        self.trafficClass = trafficClass
        self.identification = identification
        self.doNotFragment = doNotFragment
        moreFragments = false
        fragmentOffset = 0
        totalLength = Self.minimumByteCount + payloadByteCount
        headerLength = Self.minimumByteCount
    }

    /// Reads a header whose lengths fit `bytes` and whose checksum is right.
    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        let versionAndLength: UInt8 = try reader.read()
        headerLength = Int(versionAndLength & 0x0F) * 4
        guard versionAndLength >> 4 == 4 else { throw .unsupported }
        guard headerLength >= Self.minimumByteCount else { throw .badLength(headerLength) }
        trafficClass = try reader.read()
        let total: UInt16 = try reader.read()
        totalLength = Int(total)
        identification = try reader.read()
        let fragment: UInt16 = try reader.read()
        doNotFragment = fragment & 0x4000 != 0
        moreFragments = fragment & 0x2000 != 0
        fragmentOffset = Int(fragment & 0x1FFF) * 8
        timeToLive = try reader.read()
        protocolNumber = try reader.read()
        try reader.skip(2)
        source = IPv4Address(bits: try reader.read())
        destination = IPv4Address(bits: try reader.read())
        guard totalLength >= headerLength, totalLength <= bytes.byteCount else { throw .badLength(totalLength) }
        var checksum = Checksum()
        checksum.add(bytes.extracting(0..<headerLength))
        guard checksum.value == 0 else { throw .badChecksum }
    }

    /// Writes the header with its checksum.
    public func append(to arena: inout ByteArena) {
        let flags: UInt16 = (doNotFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0)
        let fragment = flags | UInt16(truncatingIfNeeded: fragmentOffset / 8)
        let first = 0x4500_0000 | UInt32(trafficClass) << 16 | UInt32(totalLengthWithoutOptions)
        let second = UInt32(identification) << 16 | UInt32(fragment)
        let third = UInt32(timeToLive) << 24 | UInt32(protocolNumber) << 16 | UInt32(checksum)
        arena.append(UInt64(first) << 32 | UInt64(second))
        arena.append(UInt64(third) << 32 | UInt64(source.bits))
        arena.append(destination.bits)
    }

    /// A header that was read with options is written without them, in front of the same payload.
    private var totalLengthWithoutOptions: UInt16 {
        UInt16(truncatingIfNeeded: totalLength - headerLength + Self.minimumByteCount)
    }

    /// The checksum of the header without options.
    public var checksum: UInt16 {
        var sum = Checksum()
        sum.add(0x4500 | UInt16(trafficClass))
        sum.add(totalLengthWithoutOptions)
        sum.add(identification)
        let flags: UInt16 = (doNotFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0)
        sum.add(flags | UInt16(truncatingIfNeeded: fragmentOffset / 8))
        sum.add(UInt16(timeToLive) << 8 | UInt16(protocolNumber))
        sum.add(source.bits)
        sum.add(destination.bits)
        return sum.value
    }
}
