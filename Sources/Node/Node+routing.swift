import Basics
import Machine
public import Wire

extension Node {
    mutating func startRouting(at now: Instant, into outbox: inout Outbox) {}
    mutating func wakeRouting(at now: Instant, into outbox: inout Outbox) {}
    mutating func shutDownRouting(at now: Instant, into outbox: inout Outbox) {}
    mutating func resetSession(_ peer: Int, at now: Instant, into outbox: inout Outbox) {}
    mutating func streamOpened(_ stream: StreamID, from remote: SocketAddress, at now: Instant, into outbox: inout Outbox) {}
    mutating func streamReceived(_ bytes: RawSpan, on stream: StreamID, at now: Instant, into outbox: inout Outbox) {}
    mutating func streamClosed(_ stream: StreamID, at now: Instant, into outbox: inout Outbox) {}
    public var overlayPrefixes: [IPPrefix] { routes.all().map(\.prefix) }
}
