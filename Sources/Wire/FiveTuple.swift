public import Telemetry

/// One direction of a flow, by its addresses, protocol and ports.
public struct FiveTuple: Hashable, Sendable, BitwiseCopyable {
    public var source: IPAddress
    public var destination: IPAddress
    public var protocolNumber: UInt8
    /// 0 where the protocol has no ports, and in fragments.
    public var sourcePort: UInt16
    public var destinationPort: UInt16

    /// A direction between two ports.
    @inlinable
    public init(protocolNumber: UInt8, from source: SocketAddress, to destination: SocketAddress) {
        self.init(
            source: source.address, destination: destination.address, protocolNumber: protocolNumber,
            sourcePort: source.port, destinationPort: destination.port)
    }

    /// A direction by its parts.
    @inlinable
    public init(
        source: IPAddress, destination: IPAddress, protocolNumber: UInt8, sourcePort: UInt16, destinationPort: UInt16
    ) {
        self.source = source
        self.destination = destination
        self.protocolNumber = protocolNumber
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    /// The other direction of the same flow.
    @inlinable
    public var reversed: FiveTuple {
        FiveTuple(
            source: destination, destination: source, protocolNumber: protocolNumber, sourcePort: destinationPort,
            destinationPort: sourcePort)
    }

    /// The direction's hash, the same on every machine and in every run.
    @inlinable
    public var key: FlowKey {
        let transport =
            UInt64(sourcePort) << 48 | UInt64(destinationPort) << 32 | UInt64(protocolNumber) << 8
        switch (source, destination) {
        case (.v4(let source), .v4(let destination)):
            let addresses = UInt64(source.bits) << 32 | UInt64(destination.bits)
            return Self.key(addresses: addresses, transport: transport | 4)
        case (.v6(let source), .v6(let destination)):
            let first = Self.mix(source.high ^ 0xA076_1D64_78BD_642F, source.low ^ 0xE703_7ED1_A0B4_28DB)
            let second = Self.mix(destination.high ^ 0x8EBC_6AF0_9C88_C6E3, destination.low ^ 0x5899_65CC_7537_4CC3)
            return Self.key(addresses: first &+ second, transport: transport | 6)
        case (.v4, .v6), (.v6, .v4):
            // No packet is like this; a made-up tuple still gets a key.
            let bits = UInt64(truncatingIfNeeded: source.bits) ^ UInt64(truncatingIfNeeded: destination.bits)
            return Self.key(addresses: bits, transport: transport)
        }
    }

    @inlinable
    @inline(__always)
    static func key(addresses: UInt64, transport: UInt64) -> FlowKey {
        let mixed = mix(addresses ^ 0xA076_1D64_78BD_642F, transport ^ 0xE703_7ED1_A0B4_28DB)
        return FlowKey(mix(mixed ^ 0x8EBC_6AF0_9C88_C6E3, addresses &+ 0x5899_65CC_7537_4CC3))
    }

    /// One round of wyhash: a full multiplication folded onto itself.
    @inlinable
    @inline(__always)
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

/// By source, destination, protocol, and then the ports.
extension FiveTuple: Comparable {
    public static func < (left: FiveTuple, right: FiveTuple) -> Bool {
        if left.source != right.source { return left.source < right.source }
        if left.destination != right.destination { return left.destination < right.destination }
        if left.protocolNumber != right.protocolNumber { return left.protocolNumber < right.protocolNumber }
        if left.sourcePort != right.sourcePort { return left.sourcePort < right.sourcePort }
        return left.destinationPort < right.destinationPort
    }
}
