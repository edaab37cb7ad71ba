import BGP
import Basics
import Machine
import Wire

/// How the connection to one collector stands, and what has become of those before it.
public struct CollectorStatus: Equatable, Sendable {
    public var isConnected: Bool
    /// How many connections have come about.
    public var connectionCount: UInt64
    /// How many of them the node has given up because the collector read too slowly.
    public var overrunCount: UInt64

    public init(isConnected: Bool = false, connectionCount: UInt64 = 0, overrunCount: UInt64 = 0) {
        self.isConnected = isConnected
        self.connectionCount = connectionCount
        self.overrunCount = overrunCount
    }
}

/// What goes to one collector, and how far it has got.
///
/// The tables that stand when a connection comes about are told in slices, as the
/// collector reads; what changes meanwhile is told at once. So only changes wait in the
/// host, and of those no more than a limit.
struct CollectorStream: Sendable {
    /// What a host takes before it has offered room.
    static let initialRoom = 64 * 1_024
    /// A host offers room again when there is less than this.
    static let leastRoom = 2_048
    /// How many prefixes are looked at in one call.
    static let workLimit = 4_096
    /// More than this may not wait in the host.
    static let waitingLimit = 4 * 1_024 * 1_024

    let collector: MonitoringCollector
    var feed: MonitoringFeed
    /// The connection, or the attempt at one.
    var stream: StreamID?
    var status = CollectorStatus()
    /// How much more the host takes without keeping it waiting; below zero, that much waits.
    var room = 0
    /// The prefixes of one page of the table whose routes are still to be told, as they stand then, and how many of
    /// them have been; and the page behind it.
    private var untold: [IPPrefix] = []
    private var toldCount = 0
    private var nextPage: UInt32 = 0
    /// Whether it has not been told yet that it has all.
    private(set) var isBehind = false

    init(_ collector: MonitoringCollector, feed: MonitoringFeed) {
        self.collector = collector
        self.feed = feed
    }

    /// The stream, where octets can be written to it.
    var openStream: StreamID? { status.isConnected ? stream : nil }

    /// A connection has come about, over which all routes are to be told.
    mutating func opened() {
        status.isConnected = true
        status.connectionCount += 1
        room = Self.initialRoom
        untold = []
        toldCount = 0
        nextPage = 0
        isBehind = true
    }

    /// There is no connection any more, nor an attempt at one.
    mutating func closed() {
        stream = nil
        status.isConnected = false
        caughtUp()
    }

    /// The next prefix whose routes are to be told.
    mutating func nextUntold(in speaker: borrowing Speaker) -> IPPrefix? {
        while toldCount == untold.count {
            guard let page = speaker.prefixes(inPage: nextPage) else { return nil }
            (untold, toldCount, nextPage) = (page, 0, nextPage + 1)
        }
        toldCount += 1
        return untold[toldCount - 1]
    }

    /// Everything has been told.
    mutating func caughtUp() {
        untold = []
        isBehind = false
    }
}
