import Basics
import Wire

/// Which end opened a connection.
enum ConnectionSide: UInt32, Sendable, BitwiseCopyable {
    case outgoing = 0
    case incoming = 1

    var other: ConnectionSide { self == .outgoing ? .incoming : .outgoing }

    var holdTimer: SessionTimer { self == .outgoing ? .outgoingHold : .incomingHold }
    var keepaliveTimer: SessionTimer { self == .outgoing ? .outgoingKeepalive : .incomingKeepalive }
}

/// What both OPENs together have settled.
struct Negotiated: Equatable, Sendable, BitwiseCopyable {
    /// Zero where there is neither a hold timer nor a KEEPALIVE (RFC 4271 §4.2).
    let holdTime: Interval
    let identifier: IPv4Address
    let context: UpdateContext
    let hasRouteRefresh: Bool

    /// RFC 4271 §4.4: a third of the hold time.
    var keepaliveInterval: Interval { holdTime / 3 }
}

/// A TCP connection that stands, and how far the talk over it has come.
///
/// There may be two for one peer until the collision is resolved (RFC 4271 §6.8), and
/// each has a machine of its own (§8.2.1).
struct Connection: Sendable {
    enum Phase: Sendable {
        case openSent
        case openConfirm(Negotiated)
        case established(Negotiated)

        var state: BGPSessionState {
            switch self {
            case .openSent: .openSent
            case .openConfirm: .openConfirm
            case .established: .established
            }
        }
    }

    let id: ConnectionID
    var phase = Phase.openSent
    /// Octets of a message that has not arrived whole.
    var input: ContiguousArray<UInt8> = []

    init(_ id: ConnectionID) {
        self.id = id
    }
}
