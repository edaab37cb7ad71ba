public import Basics

/// An IPv6 header (RFC 8200) and where the upper layer starts behind its extension headers.
public struct IPv6Header: Equatable, Sendable, BitwiseCopyable {
    public var source: IPv6Address
    public var destination: IPv6Address
    public var trafficClass: UInt8
    public var flowLabel: UInt32
    public var hopLimit: UInt8
    /// The upper layer's number, behind all extension headers.
    public var protocolNumber: UInt8
    /// The fixed header with the extension headers that were skipped.
    public var headerLength: Int
    /// Headers and payload together.
    public var totalLength: Int
    public var isFragment: Bool

    public static let minimumByteCount = 40

    public init(
        source: IPv6Address, destination: IPv6Address, protocolNumber: UInt8, payloadByteCount: Int,
        hopLimit: UInt8 = 64, trafficClass: UInt8 = 0, flowLabel: UInt32 = 0
    ) {
        self.source = source
        self.destination = destination
        self.protocolNumber = protocolNumber
        self.hopLimit = hopLimit
        self.trafficClass = trafficClass
        self.flowLabel = flowLabel
        headerLength = Self.minimumByteCount
        totalLength = Self.minimumByteCount + payloadByteCount
        isFragment = false
    }

    /// Reads a header with its extension headers, whose lengths fit `bytes`.
    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        let first: UInt32 = try reader.read()
        guard first >> 28 == 6 else { throw .unsupported }
        trafficClass = UInt8(truncatingIfNeeded: first >> 20)
        flowLabel = first & 0xF_FFFF
        let payloadLength: UInt16 = try reader.read()
        var next: UInt8 = try reader.read()
        hopLimit = try reader.read()
        source = IPv6Address(high: try reader.read(), low: try reader.read())
        destination = IPv6Address(high: try reader.read(), low: try reader.read())
        totalLength = Self.minimumByteCount + Int(payloadLength)
        guard totalLength <= bytes.byteCount else { throw .badLength(totalLength) }
        var length = Self.minimumByteCount
        var fragment = false
        var skipped = 0
        while Self.isExtension(next) {
            skipped += 1
            guard skipped <= Self.extensionLimit else { throw .unsupported }
            let kind = next
            next = try reader.read()
            let size: UInt8 = try reader.read()
            let byteCount = kind == 44 ? 8 : (Int(size) + 1) * 8
            if kind == 44 { fragment = true }
            try reader.skip(byteCount - 2)
            length += byteCount
        }
        guard length <= totalLength else { throw .badLength(totalLength) }
        protocolNumber = next
        headerLength = length
        isFragment = fragment
    }

    /// Writes the fixed header; extension headers that were read are left out.
    public func append(to arena: inout ByteArena) {
        arena.append(0x6000_0000 | UInt32(trafficClass) << 20 | flowLabel & 0xF_FFFF)
        arena.append(UInt16(truncatingIfNeeded: totalLength - headerLength))
        arena.append(protocolNumber)
        arena.append(hopLimit)
        arena.append(source.high)
        arena.append(source.low)
        arena.append(destination.high)
        arena.append(destination.low)
    }

    /// More extension headers than this are nobody's honest packet.
    private static let extensionLimit = 8

    /// Hop-by-hop, routing, fragment and destination options.
    private static func isExtension(_ number: UInt8) -> Bool {
        number == 0 || number == 43 || number == 44 || number == 60
    }
}
