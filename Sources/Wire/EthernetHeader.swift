public import Basics

/// The payload types that the project speaks (IEEE 802 numbers).
public enum EtherType {
    public static let ipv4: UInt16 = 0x0800
    public static let arp: UInt16 = 0x0806
    public static let vlan: UInt16 = 0x8100
    public static let ipv6: UInt16 = 0x86DD
    /// IEEE 802 local experimental 1: our probes inside GENEVE.
    public static let localExperimental: UInt16 = 0x88B5
}

/// An Ethernet II header without tags.
public struct EthernetHeader: Equatable, Sendable, BitwiseCopyable {
    public var destination: MACAddress
    public var source: MACAddress
    public var etherType: UInt16

    public static let byteCount = 14

    @inlinable
    public init(destination: MACAddress, source: MACAddress, etherType: UInt16) {
        self.destination = destination
        self.source = source
        self.etherType = etherType
    }

    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        let destinationHigh: UInt16 = try reader.read()
        let destinationLow: UInt32 = try reader.read()
        let sourceHigh: UInt16 = try reader.read()
        let sourceLow: UInt32 = try reader.read()
        destination = MACAddress(bits: UInt64(destinationHigh) << 32 | UInt64(destinationLow))
        source = MACAddress(bits: UInt64(sourceHigh) << 32 | UInt64(sourceLow))
        etherType = try reader.read()
    }

    /// Writes the header.
    public func append(to arena: inout ByteArena) {
        arena.append(UInt16(truncatingIfNeeded: destination.bits >> 32))
        arena.append(UInt32(truncatingIfNeeded: destination.bits))
        arena.append(UInt16(truncatingIfNeeded: source.bits >> 32))
        arena.append(UInt32(truncatingIfNeeded: source.bits))
        arena.append(etherType)
    }
}
