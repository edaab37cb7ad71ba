public import Basics

/// An ARP packet for IPv4 over Ethernet (RFC 826).
public struct ARPPacket: Equatable, Sendable, BitwiseCopyable {
    /// What the packet asks or says.
    public enum Operation: UInt16, Sendable, BitwiseCopyable {
        case request = 1
        case reply = 2
    }

    public var operation: Operation
    public var senderHardware: MACAddress
    public var sender: IPv4Address
    public var targetHardware: MACAddress
    public var target: IPv4Address

    public static let byteCount = 28

    @inlinable
    public init(
        _ operation: Operation, sender: IPv4Address, at senderHardware: MACAddress, target: IPv4Address,
        at targetHardware: MACAddress
    ) {
        self.operation = operation
        self.sender = sender
        self.senderHardware = senderHardware
        self.target = target
        self.targetHardware = targetHardware
    }

    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        let kinds: UInt64 = try reader.read()
        guard kinds >> 16 == 0x0001_0800_0604, let operation = Operation(rawValue: UInt16(kinds & 0xFFFF)) else {
            throw .unsupported
        }
        self.operation = operation
        senderHardware = try Self.readHardware(&reader)
        sender = IPv4Address(bits: try reader.read())
        targetHardware = try Self.readHardware(&reader)
        target = IPv4Address(bits: try reader.read())
    }

    /// Writes the packet.
    public func append(to arena: inout ByteArena) {
        arena.append(0x0001_0800_0604 << 16 | UInt64(operation.rawValue))
        Self.append(senderHardware, to: &arena)
        arena.append(sender.bits)
        Self.append(targetHardware, to: &arena)
        arena.append(target.bits)
    }

    private static func readHardware(_ reader: inout ByteReader) throws(WireError) -> MACAddress {
        let high: UInt16 = try reader.read()
        let low: UInt32 = try reader.read()
        return MACAddress(bits: UInt64(high) << 32 | UInt64(low))
    }

    private static func append(_ address: MACAddress, to arena: inout ByteArena) {
        arena.append(UInt16(truncatingIfNeeded: address.bits >> 32))
        arena.append(UInt32(truncatingIfNeeded: address.bits))
    }
}
