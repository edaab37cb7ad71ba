public import Wire

/// A way along a link.
public enum LinkDirection: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// From the first endpoint to the second.
    case forward
    case reverse

    public var opposite: LinkDirection { self == .forward ? .reverse : .forward }
}

/// An address on a port, with the length of the prefix that is reached directly.
public struct PortAddress: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public var address: IPAddress
    public var prefixLength: Int

    public init(_ address: IPAddress, prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }

    /// The prefix that is reached directly.
    public var prefix: IPPrefix { IPPrefix(address, length: prefixLength) }

    public var description: String { "\(address)/\(prefixLength)" }
}

/// One end of a link: a port of a node, with its addresses.
public struct LinkEnd: Equatable, Sendable {
    /// The node's index.
    public var node: Int
    public var port: String
    public var addresses: [PortAddress]

    public init(node: Int, port: String, addresses: [PortAddress] = []) {
        self.node = node
        self.port = port
        self.addresses = addresses
    }

    /// The first IPv4 address.
    public var ipv4: IPv4Address? {
        for entry in addresses {
            if case .v4(let address) = entry.address { return address }
        }
        return nil
    }

    /// The first IPv6 address.
    public var ipv6: IPv6Address? {
        for entry in addresses {
            if case .v6(let address) = entry.address { return address }
        }
        return nil
    }
}

/// One link of a topology between two ports; its index is its place in the file.
public struct TopologyLink: Equatable, Sendable {
    public var name: String
    public var first: LinkEnd
    public var second: LinkEnd
    /// From the first end to the second.
    public var forward: LinkSettings
    public var reverse: LinkSettings
    /// Whether it joins a host to the LAN of a node, and so is no part of the underlay.
    public var isLAN: Bool

    public init(
        name: String, first: LinkEnd, second: LinkEnd, forward: LinkSettings, reverse: LinkSettings,
        isLAN: Bool = false
    ) {
        self.name = name
        self.first = first
        self.second = second
        self.forward = forward
        self.reverse = reverse
        self.isLAN = isLAN
    }

    /// The end from which packets leave in a direction.
    public func source(_ direction: LinkDirection) -> LinkEnd { direction == .forward ? first : second }

    /// The end at which packets arrive in a direction.
    public func target(_ direction: LinkDirection) -> LinkEnd { direction == .forward ? second : first }

    /// The settings of a direction.
    public func settings(_ direction: LinkDirection) -> LinkSettings { direction == .forward ? forward : reverse }

    /// The direction that leaves `node`, where the node is at one of the ends.
    public func direction(from node: Int) -> LinkDirection? {
        if first.node == node { return .forward }
        return second.node == node ? .reverse : nil
    }
}
