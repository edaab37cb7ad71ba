public import Basics

/// One kind of traffic between two hosts.
public struct TrafficEntry: Equatable, Sendable {
    /// Names its metrics: `traffic.NAME.latency`.
    public var name: String
    public var application: TrafficApplication
    /// The client's node, by index.
    public var from: Int
    /// The server's node, by index.
    public var to: Int
    public var flows: Int
    public var start: Interval
    /// The time over which the flows' starts are spread, evenly.
    public var over: Interval
    /// When it ends, where that is before the end of the run.
    public var stop: Interval?
    public var user: String?

    public init(
        name: String, application: TrafficApplication, from: Int, to: Int, flows: Int = 1, start: Interval = .zero,
        over: Interval = .zero, stop: Interval? = nil, user: String? = nil
    ) {
        self.name = name
        self.application = application
        self.from = from
        self.to = to
        self.flows = flows
        self.start = start
        self.over = over
        self.stop = stop
        self.user = user
    }
}

extension TrafficEntry {
    /// When the flow of that place starts.
    public func start(ofFlow place: Int) -> Interval {
        guard flows > 1 else { return start }
        // A year's nanoseconds times a hundred thousand flows would not fit 64 bits.
        let share = Int64(Int128(over.nanoseconds) * Int128(place) / Int128(flows))
        return start + Interval(nanoseconds: share)
    }
}

/// The applications that a scenario file may name.
public enum ApplicationName: String, CaseIterable, Sendable {
    case web
    case video
    case voip
    case fileTransfer
    case gaming
    case vpn
    case p2p
    case dns
    case ssh
    case smtp
    case ftp
    case quic
    case webrtc
    case cbr
    case replay
}

/// What flows, with its own parameters.
public enum TrafficApplication: Equatable, Sendable {
    /// UDP at a constant rate; `packetSize` is that of the IP packet.
    case constantRate(rate: BitRate, packetSize: ByteCount)
    /// TCP from `from` to `to`: so many bytes, or until the traffic stops.
    case fileTransfer(bytes: ByteCount?)
    /// G.711 in RTP, both ways.
    case voip
    /// Requests and pages over TCP; `bytes` is a page's mean size, where it is given.
    case web(bytes: ByteCount?)
    /// The packets of a capture.
    case replay(CaptureFile)
    /// Known to the format, but to no generator yet.
    case other(ApplicationName, bytes: ByteCount?, rate: BitRate?)

    /// The application's name in files.
    public var name: ApplicationName {
        switch self {
        case .constantRate: .cbr
        case .fileTransfer: .fileTransfer
        case .voip: .voip
        case .web: .web
        case .replay: .replay
        case .other(let name, _, _): name
        }
    }
}

/// A capture to replay: where it was found, and its octets, not yet looked into.
public struct CaptureFile: Equatable, Sendable {
    public var path: String
    public var bytes: [UInt8]

    public init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}
