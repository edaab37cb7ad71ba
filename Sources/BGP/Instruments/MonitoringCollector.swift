public import Basics
public import Wire

/// A station that a speaker's routes are told to (BMP, RFC 7854), and how.
public struct MonitoringCollector: Equatable, Sendable {
    /// The port of a collector for which none is given; RFC 7854 §3.2 leaves the choice to the operator.
    public static let usualPort: UInt16 = 11_019

    public var address: SocketAddress
    /// Whether it is told what the speaker chooses as well (RFC 9069).
    public var tellsBestRoutes = false
    /// How often it gets Statistics Reports; nil for never.
    public var statisticsInterval: Interval?
    /// How long after a connection was lost, or did not come about, the next is tried.
    public var retryInterval = Interval.seconds(30)

    public init(_ address: SocketAddress) {
        self.address = address
    }
}
