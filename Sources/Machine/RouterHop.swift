public import Basics
public import Wire

/// A router on the link of one of the machine's ports, to which packets may be given.
public struct RouterHop: Equatable, Sendable, BitwiseCopyable {
    public var port: PortID
    public var gateway: IPAddress

    public init(port: PortID, gateway: IPAddress) {
        self.port = port
        self.gateway = gateway
    }

    /// How many octets of an arena a hop takes: port, family, address.
    fileprivate static let byteCount = 19
}

extension Outbox {
    /// Has packets for the prefix spread over routers, of which there are several.
    public mutating func spread(_ prefix: IPPrefix, over hops: [RouterHop]) {
        let start = arena.count
        for hop in hops {
            arena.append(hop.port.rawValue)
            arena.append(hop.gateway.isIPv4 ? 4 as UInt8 : 6)
            arena.append(hop.gateway.bits)
        }
        append(.program(.spread(prefix, over: ByteRange(start: start, count: arena.count - start))))
    }

    /// The routers that ``ForwardingChange/spread(_:over:)`` names, until the outbox is emptied.
    public borrowing func routerHops(_ range: ByteRange) -> [RouterHop] {
        let bytes = bytes(range)
        func load<Field: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Field.Type) -> Field {
            Field(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
        }
        return stride(from: 0, to: bytes.byteCount, by: RouterHop.byteCount).map { start in
            let bits = load(start + 3, as: UInt128.self)
            return RouterHop(
                port: PortID(load(start, as: UInt16.self)),
                gateway: load(start + 2, as: UInt8.self) == 4
                    ? .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: bits))) : .v6(IPv6Address(bits: bits)))
        }
    }
}
