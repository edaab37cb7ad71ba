public import Wire

/// What several peers have in common: each is a copy of the template with an address and an AS of its own.
public struct PeerGroup: Equatable, Sendable {
    public var name: String
    /// Everything but the address, and the AS where members have different ones.
    public var template: PeerConfiguration

    public init(_ name: String, template: PeerConfiguration) {
        self.name = name
        self.template = template
    }

    /// A member; what it has of its own is set on the copy.
    public func member(_ address: IPAddress, autonomousSystem: UInt32? = nil) -> PeerConfiguration {
        var member = template
        member.address = address
        if let autonomousSystem { member.autonomousSystem = autonomousSystem }
        return member
    }
}

/// Addresses from which peers may call without having been named (RFC 4271 §8.1.1, AcceptConnectionsUnconfiguredPeers).
public struct DynamicPeers: Equatable, Sendable {
    public var range: IPPrefix
    public var group: PeerGroup
    /// How many may be there at the same time.
    public var maximumCount: Int

    public init(_ range: IPPrefix, _ group: PeerGroup, maximumCount: Int = 100) {
        self.range = range
        self.group = group
        self.maximumCount = maximumCount
    }
}

/// Several ASes that are one to everybody else (RFC 5065 §3).
public struct Confederation: Equatable, Sendable {
    /// The number of the whole.
    public var identifier: UInt32
    /// The numbers of the ASes inside, the own one among them or not.
    public var members: [UInt32]

    public init(identifier: UInt32, members: [UInt32]) {
        self.identifier = identifier
        self.members = members
    }
}
