public import Wire

/// A peer of the collector that wrote a table (RFC 6396 §4.3.1).
public struct MRTPeer: Hashable, Sendable, BitwiseCopyable {
    public var identifier: IPv4Address
    public var address: IPAddress
    public var autonomousSystem: UInt32

    public init(identifier: IPv4Address, address: IPAddress, autonomousSystem: UInt32) {
        self.identifier = identifier
        self.address = address
        self.autonomousSystem = autonomousSystem
    }
}

/// Whose tables follow: the PEER_INDEX_TABLE (RFC 6396 §4.3.1).
public struct MRTPeerTable: Equatable, Sendable {
    /// The collector's identifier.
    public var identifier: IPv4Address
    public var viewName: String
    /// Numbered from 0, in this order.
    public var peers: [MRTPeer]

    public init(identifier: IPv4Address, viewName: String = "", peers: [MRTPeer]) {
        self.identifier = identifier
        self.viewName = viewName
        self.peers = peers
    }
}

/// All routes to one prefix: RIB_IPV4_UNICAST, RIB_IPV6_UNICAST and their forms with numbered paths
/// (RFC 6396 §4.3.2, RFC 8050 §4.1).
public struct MRTRoutes: Equatable, Sendable {
    public var sequence: UInt32
    public var prefix: IPPrefix
    public var isNumbered: Bool
    /// How many entries the record says it has; ``MRTEntryReader`` reads them.
    public var count: Int
    /// Where they stand.
    public var entries: Range<Int>
}

/// One peer's route to the prefix of an ``MRTRoutes`` (RFC 6396 §4.3.4).
public struct MRTEntry: Equatable, Sendable {
    /// The peer's number in the ``MRTPeerTable``.
    public var peer: Int
    /// In seconds since 1970.
    public var originatedAt: UInt32
    /// The number of the path, where the record has them (RFC 8050 §4.1).
    public var pathIdentifier: UInt32?
    /// Where the attributes stand, for ``UpdateMessage/init(tableEntry:of:identifier:context:)``.
    public var attributes: Range<Int>
}

/// The two ends of a session (RFC 6396 §4.4).
public struct MRTSession: Hashable, Sendable, BitwiseCopyable {
    public var peerAS: UInt32
    public var localAS: UInt32
    public var interface: UInt16
    /// Of the family of ``localAddress``.
    public var peerAddress: IPAddress
    public var localAddress: IPAddress

    public init(
        peerAS: UInt32, localAS: UInt32, interface: UInt16 = 0, peerAddress: IPAddress, localAddress: IPAddress
    ) {
        self.peerAS = peerAS
        self.localAS = localAS
        self.interface = interface
        self.peerAddress = peerAddress
        self.localAddress = localAddress
    }
}

/// A message that came over a session or, where it is local, went out over it (RFC 6396 §4.4.2, RFC 8050 §4.2).
public struct MRTMessage: Equatable, Sendable {
    public var session: MRTSession
    /// Whether AS numbers take four octets in the message.
    public var isFourOctet: Bool
    /// Whether prefixes have path numbers in the message.
    public var isNumbered: Bool
    public var isLocal: Bool
    /// Where the BGP message stands, its header included.
    public var message: Range<Int>

    /// With what its UPDATE is to be read.
    public var context: UpdateContext {
        var context = UpdateContext(isInternal: session.peerAS == session.localAS, isFourOctet: isFourOctet)
        if isNumbered { context.numberedFamilies = [.ipv4Unicast, .ipv6Unicast] }
        context.hasExtendedNextHop = true
        return context
    }
}

/// That a session went from one state to another (RFC 6396 §4.4.1).
public struct MRTStateChange: Equatable, Sendable {
    public var session: MRTSession
    public var isFourOctet: Bool
    /// As they stand; some collectors have states of their own.
    public var oldNumber: UInt16
    public var newNumber: UInt16

    /// Nil for a number that is no state of RFC 4271.
    public var old: BGPSessionState? { BGPSessionState(recorded: oldNumber) }
    public var new: BGPSessionState? { BGPSessionState(recorded: newNumber) }
}

/// One record of a file (RFC 6396 §2).
public struct MRTRecord: Equatable, Sendable {
    /// What a record can be.
    public enum Content: Equatable, Sendable {
        case peers(MRTPeerTable)
        case routes(MRTRoutes)
        case message(MRTMessage)
        case stateChange(MRTStateChange)
        /// A type and subtype that are not read here.
        case other(type: UInt16, subtype: UInt16)
    }

    public var time: WallTime
    public var content: Content
    /// Where it stands, its header included.
    public var place: Range<Int>
}

/// The numbers of RFC 6396 §4 and RFC 8050 §4 that are spoken here.
enum MRTType {
    static let tableDump: UInt16 = 13
    static let protocolMessage: UInt16 = 16
    static let preciseProtocolMessage: UInt16 = 17
}

/// The subtypes of tables (RFC 6396 §4.3, RFC 8050 §4.1).
enum MRTTableSubtype: UInt16 {
    case peers = 1
    case ipv4Unicast = 2
    case ipv6Unicast = 4
    case ipv4UnicastNumbered = 8
    case ipv6UnicastNumbered = 10
}

/// The subtypes of what happens on sessions (RFC 6396 §4.4, RFC 8050 §4.2).
enum MRTProtocolSubtype: UInt16 {
    case stateChange = 0
    case message = 1
    case messageFourOctet = 4
    case stateChangeFourOctet = 5
    case messageLocal = 6
    case messageFourOctetLocal = 7
    case messageNumbered = 8
    case messageFourOctetNumbered = 9
    case messageLocalNumbered = 10
    case messageFourOctetLocalNumbered = 11

    init(_ message: MRTMessage) {
        switch (message.isFourOctet, message.isLocal, message.isNumbered) {
        case (false, false, false): self = .message
        case (true, false, false): self = .messageFourOctet
        case (false, true, false): self = .messageLocal
        case (true, true, false): self = .messageFourOctetLocal
        case (false, false, true): self = .messageNumbered
        case (true, false, true): self = .messageFourOctetNumbered
        case (false, true, true): self = .messageLocalNumbered
        case (true, true, true): self = .messageFourOctetLocalNumbered
        }
    }

    var isStateChange: Bool { self == .stateChange || self == .stateChangeFourOctet }
    var isNumbered: Bool { rawValue >= 8 }

    var isLocal: Bool {
        switch self {
        case .messageLocal, .messageFourOctetLocal, .messageLocalNumbered, .messageFourOctetLocalNumbered: true
        default: false
        }
    }

    var isFourOctet: Bool {
        switch self {
        case .messageFourOctet, .stateChangeFourOctet, .messageFourOctetLocal, .messageFourOctetNumbered,
            .messageFourOctetLocalNumbered:
            true
        default: false
        }
    }
}
