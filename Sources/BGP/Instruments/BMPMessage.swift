public import Wire

/// Whose routes a message is about: the per-peer header (RFC 7854 §4.2).
public struct BMPPeer: Hashable, Sendable, BitwiseCopyable {
    /// Where in the monitored speaker the routes are.
    public enum Kind: UInt8, Sendable, BitwiseCopyable {
        /// What a peer has told, in the global table.
        case global = 0
        /// A peer in a table of its own, told apart by the distinguisher.
        case distinguished = 1
        /// A peer in a table that only the speaker knows.
        case local = 2
        /// Not a peer, but what the speaker has chosen (RFC 9069 §4.1).
        case bestRoutes = 3
    }

    public var kind: Kind
    public var distinguisher: UInt64
    /// All zeros for what the speaker has chosen (RFC 9069 §4.1).
    public var address: IPAddress
    public var autonomousSystem: UInt32
    public var identifier: IPv4Address
    /// Whether import policy has been applied.
    public var isPostPolicy = false
    /// Whether AS paths have two octets for each number.
    public var isTwoOctet = false
    /// When the routes came.
    public var time: WallTime

    public init(
        _ kind: Kind = .global, address: IPAddress, autonomousSystem: UInt32, identifier: IPv4Address, time: WallTime
    ) {
        self.kind = kind
        distinguisher = 0
        self.address = address
        self.autonomousSystem = autonomousSystem
        self.identifier = identifier
        self.time = time
    }
}

/// Something that a speaker says of itself (RFC 7854 §4.4).
public struct BMPInformation: Equatable, Sendable {
    public var type: UInt16
    public var text: String

    public init(type: UInt16, text: String) {
        self.type = type
        self.text = text
    }

    /// Free text.
    public static func string(_ text: String) -> BMPInformation { BMPInformation(type: 0, text: text) }
    /// The sysDescr of RFC 1213.
    public static func description(_ text: String) -> BMPInformation { BMPInformation(type: 1, text: text) }
    /// The sysName of RFC 1213.
    public static func name(_ text: String) -> BMPInformation { BMPInformation(type: 2, text: text) }
    /// The name of the table whose routes follow (RFC 9069 §4.4).
    public static func table(_ name: String) -> BMPInformation { BMPInformation(type: 3, text: name) }
}

/// Why a monitored session has ended (RFC 7854 §4.9).
public enum BMPPeerDownReason: Equatable, Sendable {
    case localNotification(Notification)
    /// With the number of the event of RFC 4271 §8.1, or 0.
    case localEvent(UInt16)
    case remoteNotification(Notification)
    case remoteClosed
    case notMonitored
    /// What was chosen is not told any more (RFC 9069 §5.3).
    case bestRoutesEnd([BMPInformation])
}

/// What a session has come up with (RFC 7854 §4.10).
public struct BMPPeerUp: Equatable, Sendable {
    public var local: SocketAddress
    public var remotePort: UInt16
    /// Where the OPENs stand, their headers included.
    public var sentOpen: Range<Int>
    public var receivedOpen: Range<Int>
    public var information: [BMPInformation]

    public init(
        local: SocketAddress, remotePort: UInt16, sentOpen: Range<Int>, receivedOpen: Range<Int>,
        information: [BMPInformation] = []
    ) {
        self.local = local
        self.remotePort = remotePort
        self.sentOpen = sentOpen
        self.receivedOpen = receivedOpen
        self.information = information
    }
}

/// A number in a report (RFC 7854 §4.8).
public struct BMPStatistic: Hashable, Sendable, BitwiseCopyable {
    /// What is counted, and in how many octets.
    public struct Kind: Hashable, Sendable, BitwiseCopyable {
        public let rawValue: UInt16
        /// Whether it has eight octets, as what rises and falls does.
        public let isGauge: Bool

        public init(rawValue: UInt16, isGauge: Bool) {
            self.rawValue = rawValue
            self.isGauge = isGauge
        }

        public static let rejectedPrefixes = Kind(rawValue: 0, isGauge: false)
        public static let receivedRoutes = Kind(rawValue: 7, isGauge: true)
        public static let bestRoutes = Kind(rawValue: 8, isGauge: true)
        public static let withdrawnUpdates = Kind(rawValue: 11, isGauge: false)
        /// Routes told, behind export policy (RFC 8671 §6.1).
        public static let advertisedRoutes = Kind(rawValue: 15, isGauge: true)
    }

    public var kind: Kind
    public var value: UInt64

    public init(_ kind: Kind, _ value: UInt64) {
        self.kind = kind
        self.value = value
    }
}

/// Why the monitoring itself has ended (RFC 7854 §4.5).
public enum BMPTerminationReason: UInt16, Sendable, BitwiseCopyable {
    case administrative = 0
    case unspecified = 1
    case outOfResources = 2
    case redundant = 3
    case permanentlyClosed = 4
}

/// A message to a monitoring station (RFC 7854 §4.1).
public struct BMPMessage: Equatable, Sendable {
    /// What a message can be.
    public enum Content: Equatable, Sendable {
        /// Where an UPDATE stands, its header included (RFC 7854 §4.6).
        case routes(BMPPeer, update: Range<Int>)
        case statistics(BMPPeer, [BMPStatistic])
        case peerDown(BMPPeer, BMPPeerDownReason)
        case peerUp(BMPPeer, BMPPeerUp)
        case initiation([BMPInformation])
        case termination(BMPTerminationReason?, [BMPInformation])
        /// A type that is not read here.
        case other(type: UInt8)
    }

    public var content: Content
    /// Where it stands, its header included.
    public var place: Range<Int>
}

/// The numbers of RFC 7854 §4.1.
enum BMPType: UInt8 {
    case routeMonitoring = 0
    case statistics = 1
    case peerDown = 2
    case peerUp = 3
    case initiation = 4
    case termination = 5
}

/// The flags of a per-peer header (RFC 7854 §4.2); what stands for a chosen route has another meaning (RFC 9069 §4.2).
struct BMPPeerFlags: OptionSet {
    let rawValue: UInt8

    static let ipv6 = BMPPeerFlags(rawValue: 0x80)
    static let postPolicy = BMPPeerFlags(rawValue: 0x40)
    static let twoOctet = BMPPeerFlags(rawValue: 0x20)
}
