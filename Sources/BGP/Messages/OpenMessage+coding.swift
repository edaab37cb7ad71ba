public import Basics
import Wire

extension OpenMessage {
    /// Reads and checks a body by itself (RFC 4271 §6.2); whether it comes from the right peer is the session's matter.
    public init(body: RawSpan) throws(Notification) {
        guard body.byteCount >= 10 else { throw .malformedOpen }
        guard body.field(at: 0, as: UInt8.self) == 4 else { throw .unsupportedVersion }
        shortAS = body.field(at: 1)
        holdTime = body.field(at: 3)
        identifier = IPv4Address(bits: body.field(at: 5))
        do throws(WireError) {
            capabilities = try Self.readParameters(body.extracting(9..<body.byteCount))
        } catch {
            throw error == .unsupported ? .unsupportedOptionalParameter : .malformedOpen
        }
        guard shortAS != 0, autonomousSystem != 0 else { throw .badPeerAS }
        guard identifier != .any else { throw .badIdentifier }
        guard holdTime == 0 || holdTime >= 3 else { throw .unacceptableHoldTime }
    }

    /// Reads the optional parameters from their length on, in either form (RFC 9072 §2).
    private static func readParameters(_ bytes: RawSpan) throws(WireError) -> [Capability] {
        var reader = ByteReader(bytes)
        var length = Int(try reader.read(UInt8.self))
        let isExtended = length != 0 && reader.remaining > 0 && bytes.field(at: 1, as: UInt8.self) == 255
        if isExtended {
            try reader.skip(1)
            length = Int(try reader.read(UInt16.self))
        }
        guard reader.remaining == length else { throw .badLength(length) }
        var capabilities: [Capability] = []
        while reader.remaining > 0 {
            let type = try reader.read(UInt8.self)
            let size = isExtended ? Int(try reader.read(UInt16.self)) : Int(try reader.read(UInt8.self))
            let value = try reader.take(size)
            guard type == 2 else { throw .unsupported }
            try readCapabilities(value, into: &capabilities)
        }
        return capabilities
    }

    private static func readCapabilities(_ bytes: RawSpan, into capabilities: inout [Capability]) throws(WireError) {
        var reader = ByteReader(bytes)
        while reader.remaining > 0 {
            let code = try reader.read(UInt8.self)
            let value = try reader.take(Int(try reader.read(UInt8.self)))
            capabilities.append(try Capability(code: code, value: value))
        }
    }

    /// Appends the whole message, all capabilities in one parameter, in the longer form where it must be (RFC 9072 §2).
    public func append(to arena: inout ByteArena) {
        let start = arena.beginMessage(.open)
        arena.append(UInt8(4))
        arena.append(shortAS)
        arena.append(holdTime)
        arena.append(identifier.bits)
        let octets = capabilities.flatMap(\.octets)
        precondition(octets.count <= MessageHeader.maximumLength - 36, "the capabilities fit the message")
        if octets.isEmpty {
            arena.append(UInt8(0))
        } else if octets.count <= 253 {
            arena.append(UInt8(octets.count + 2))
            arena.append(UInt8(2))
            arena.append(UInt8(octets.count))
        } else {
            arena.append(UInt16(0xFFFF))
            arena.append(UInt16(octets.count + 3))
            arena.append(UInt8(2))
            arena.append(UInt16(octets.count))
        }
        arena.append(octets.span.bytes)
        arena.endMessage(start)
    }
}
