import Basics

/// Which end opened a connection.
enum ConnectionSide: UInt32, Sendable, BitwiseCopyable {
    case outgoing = 0
    case incoming = 1

    var other: ConnectionSide { self == .outgoing ? .incoming : .outgoing }

    var holdTimer: SessionTimer { self == .outgoing ? .outgoingHold : .incomingHold }
    var keepaliveTimer: SessionTimer { self == .outgoing ? .outgoingKeepalive : .incomingKeepalive }
    var delayOpenTimer: SessionTimer { self == .outgoing ? .outgoingDelayOpen : .incomingDelayOpen }
    var sendHoldTimer: SessionTimer { self == .outgoing ? .outgoingSendHold : .incomingSendHold }
}

/// A TCP connection that stands, and how far the talk over it has come.
///
/// There may be two for one peer until the collision is resolved (RFC 4271 §6.8), and
/// each has a machine of its own (§8.2.1).
struct Connection: Sendable {
    enum Phase: Sendable {
        /// Connect or Active still: the own OPEN waits for the peer's (RFC 4271 §8.1.1, DelayOpen).
        case delayingOpen
        case openSent
        case openConfirm(Negotiated)
        case established(Negotiated)

        var negotiated: Negotiated? {
            switch self {
            case .openConfirm(let negotiated), .established(let negotiated): negotiated
            case .delayingOpen, .openSent: nil
            }
        }
    }

    let id: ConnectionID
    let side: ConnectionSide
    var phase: Phase
    /// Octets of a message that has not arrived whole.
    var input: ContiguousArray<UInt8> = []

    init(_ id: ConnectionID, _ side: ConnectionSide, isDelayed: Bool) {
        self.id = id
        self.side = side
        phase = isDelayed ? .delayingOpen : .openSent
    }

    var state: BGPSessionState {
        switch phase {
        case .delayingOpen: side == .outgoing ? .connect : .active
        case .openSent: .openSent
        case .openConfirm: .openConfirm
        case .established: .established
        }
    }

    /// The greatest length of a message that may arrive (RFC 8654 §4).
    var maximumLength: Int { phase.negotiated?.format.maximumLength ?? MessageHeader.maximumLength }
}
