public import Basics
public import Telemetry
public import Wire

/// A machine's attachment to a link, numbered in the order of its configuration.
public struct PortID: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var rawValue: UInt16

    @inlinable
    public init(_ rawValue: UInt16) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func < (left: PortID, right: PortID) -> Bool { left.rawValue < right.rawValue }
}

/// A datagram socket, numbered by the machine that binds it.
public struct SocketID: Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// A byte stream, numbered by whoever opened it.
///
/// The machine numbers those that it opens, with the highest bit clear; the host numbers
/// those that arrive at a listener, with it set.
public struct StreamID: Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Whether the other end opened it.
    @inlinable
    public var isIncoming: Bool { rawValue >> 31 == 1 }
}

/// How a stream ended.
public enum StreamClosure: UInt8, Equatable, Sendable, BitwiseCopyable {
    /// The other end has said all that it will; what was written before still arrives.
    case finished
    case reset
    case refused
    case timedOut
    case unreachable
}

/// An instruction from the operator or from a scenario.
public enum Command: Equatable, Sendable, BitwiseCopyable {
    /// Ends all sessions as the protocols want it, before the host stops the machine.
    case shutDown
    /// Sends a Cease to the peer of that index and starts over.
    case resetSession(peer: UInt32)
    /// Begins the session with a peer that was stopped.
    case startSession(peer: UInt32)
    /// Asks a peer for all that it has told (RFC 2918).
    case refreshRoutes(peer: UInt32)
    /// Originates prefixes in BGP, which need not be the node's own.
    case announce(PrefixSeries)
    /// Originates prefixes no more, its own ones included.
    case withdraw(PrefixSeries)
}

/// Everything that can happen to a machine.
///
/// Octets are borrowed for the length of the call.
public enum Event: ~Escapable {
    /// The first event of a machine's life: it binds, listens and connects.
    case start
    /// An IP packet that the kernel routed to the overlay interface.
    case overlayPacket(RawSpan)
    case datagram(RawSpan, socket: SocketID, from: SocketAddress)
    case streamOpened(StreamID, local: SocketAddress, remote: SocketAddress)
    case streamBytes(StreamID, RawSpan)
    /// The host has room for so many bytes more.
    case streamWritable(StreamID, byteCount: Int)
    case streamClosed(StreamID, StreamClosure)
    case portChanged(PortID, isUp: Bool)
    /// What the data plane has received from a tunnel since it was opened, and what it should have; the answer to
    /// ``Action/readTunnel(_:)``.
    case carried(TunnelID, received: UInt64, expected: UInt64)
    case command(Command)
    /// An instruction to end the session with a peer until it is started; the text, UTF-8, is for who runs the peer.
    case stopSession(peer: UInt32, reason: RawSpan)
    /// The instant that ``Deadline`` named has come; coming early is harmless.
    case deadline
}

/// When a machine must be handed ``Event/deadline`` at the latest, and which part of it wants that.
public struct Deadline: Equatable, Sendable {
    public let at: Instant
    public let reason: StaticString

    @inlinable
    public init(at: Instant, reason: StaticString) {
        self.at = at
        self.reason = reason
    }

    public static func == (left: Deadline, right: Deadline) -> Bool { left.at == right.at }
}
