public import Basics
public import Wire

/// The fixed part of a GENEVE header (RFC 8926 §3.4).
public struct GeneveHeader: Equatable, Sendable, BitwiseCopyable {
    /// The options' size, a multiple of 4 up to 252.
    public var optionsByteCount: Int
    /// The O bit: the payload is for the tunnel's end itself and is never forwarded.
    public var isControl: Bool
    /// The C bit: at least one option must be understood.
    public var hasCriticalOptions: Bool
    /// What follows the options, an EtherType.
    public var protocolType: UInt16
    /// The virtual network identifier: the tunnel's number, 24 bits.
    public var tunnelNumber: UInt32

    /// The fixed part, without options.
    public static let byteCount = 8
    /// The port that GENEVE listens on (RFC 8926 §3.3).
    public static let port: UInt16 = 6081

    @inlinable
    public init(
        tunnelNumber: UInt32, protocolType: UInt16, optionsByteCount: Int = 0, isControl: Bool = false,
        hasCriticalOptions: Bool = false
    ) {
        self.tunnelNumber = tunnelNumber
        self.protocolType = protocolType
        self.optionsByteCount = optionsByteCount
        self.isControl = isControl
        self.hasCriticalOptions = hasCriticalOptions
    }

    /// The header in its eight octets, read as one big-endian number; the version is not looked at.
    @inlinable
    public init(bits: UInt64) {
        optionsByteCount = Int(bits >> 56 & 0x3F) &* 4
        isControl = bits >> 55 & 1 == 1
        hasCriticalOptions = bits >> 54 & 1 == 1
        protocolType = UInt16(truncatingIfNeeded: bits >> 32)
        tunnelNumber = UInt32(truncatingIfNeeded: bits >> 8) & 0xFF_FFFF
    }

    /// The eight octets as one big-endian number: version 0, reserved bits clear.
    @inlinable
    public var bits: UInt64 {
        var bits = UInt64(truncatingIfNeeded: optionsByteCount / 4 & 0x3F) << 56
        bits |= (isControl ? 1 << 55 : 0) | (hasCriticalOptions ? 1 << 54 : 0)
        return bits | UInt64(protocolType) << 32 | UInt64(tunnelNumber & 0xFF_FFFF) << 8
    }

    /// Reads a header of version 0 whose options fit `bytes`.
    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        let bits: UInt64 = try reader.read()
        guard bits >> 62 == 0 else { throw .unsupported }
        self.init(bits: bits)
        guard optionsByteCount <= reader.remaining else { throw .badLength(optionsByteCount) }
    }

    /// Writes the eight octets.
    public func append(to arena: inout ByteArena) {
        arena.append(bits)
    }
}
