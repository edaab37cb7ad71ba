public import Basics

/// The header that ICMP (RFC 792) and ICMPv6 (RFC 4443) messages share; what follows it is the message's own.
public struct ICMPHeader: Equatable, Sendable, BitwiseCopyable {
    public var type: UInt8
    public var code: UInt8
    public var checksum: UInt16
    /// Identifier and sequence of an echo; the next-hop MTU of a "too big"; else 0.
    public var rest: UInt32

    public static let byteCount = 8

    @inlinable
    public init(type: UInt8, code: UInt8, rest: UInt32 = 0) {
        self.type = type
        self.code = code
        checksum = 0
        self.rest = rest
    }

    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        type = try reader.read()
        code = try reader.read()
        checksum = try reader.read()
        rest = try reader.read()
    }

    /// Writes the header with the checksum that it holds.
    public func append(to arena: inout ByteArena) {
        arena.append(type)
        arena.append(code)
        arena.append(checksum)
        arena.append(rest)
    }
}

/// Types and codes of ICMP for IPv4 that the project sends or acts on.
public enum ICMPv4 {
    public static let echoReply: UInt8 = 0
    public static let unreachable: UInt8 = 3
    public static let echoRequest: UInt8 = 8
    public static let timeExceeded: UInt8 = 11
    public static let networkUnreachableCode: UInt8 = 0
    public static let hostUnreachableCode: UInt8 = 1
    public static let portUnreachableCode: UInt8 = 3
    /// Fragmentation needed and DF set (RFC 1191).
    public static let tooBigCode: UInt8 = 4
}

/// Types and codes of ICMPv6 that the project sends or acts on.
public enum ICMPv6 {
    public static let unreachable: UInt8 = 1
    public static let tooBig: UInt8 = 2
    public static let timeExceeded: UInt8 = 3
    public static let echoRequest: UInt8 = 128
    public static let echoReply: UInt8 = 129
    public static let neighborSolicitation: UInt8 = 135
    public static let neighborAdvertisement: UInt8 = 136
    public static let noRouteCode: UInt8 = 0
    public static let addressUnreachableCode: UInt8 = 3
    public static let portUnreachableCode: UInt8 = 4
}
