import Wire

/// What can happen to a session, with the names and numbers of RFC 4271 §8.1.
enum SessionEvent: Sendable {
    /// 1 and 3: ManualStart, AutomaticStart; the peer is told whether this speaker has restarted (RFC 4724 §4.1).
    case start(isRestarting: Bool)
    /// 2: ManualStop.
    case stop(Notification)
    /// 8: AutomaticStop; the session starts over by itself.
    case restart(Notification)
    /// 9.
    case connectRetryTimerExpires
    /// 10.
    case holdTimerExpires(ConnectionSide)
    /// 11.
    case keepaliveTimerExpires(ConnectionSide)
    /// 12.
    case delayOpenTimerExpires(ConnectionSide)
    /// 13.
    case idleHoldTimerExpires
    /// 16 and 17: TcpConnectionAcked of the own attempt, TcpConnectionConfirmed of the peer's.
    case connectionConfirmed(ConnectionID, ConnectionSide)
    /// 18: TcpConnectionFails, before there was a connection.
    case attemptFails
    /// 18: TcpConnectionFails.
    case connectionFails(ConnectionSide)
    /// 19 and 20: BGPOpen, BGPOpen with DelayOpenTimer running.
    case open(OpenMessage, ConnectionSide)
    /// 21, 22 and 28: BGPHeaderErr, BGPOpenMsgErr, UpdateMsgErr.
    case messageError(Notification, ConnectionSide)
    /// 24 and 25: NotifMsgVerErr, NotifMsg.
    case notification(Notification, ConnectionSide)
    /// 26: KeepAliveMsg.
    case keepalive(ConnectionSide)
    /// 27: UpdateMsg.
    case update(ConnectionSide)
    /// RFC 2918, RFC 7313.
    case routeRefresh(RouteRefreshMessage, ConnectionSide)
    /// RFC 4724 §2, of an UPDATE that came before.
    case endOfRIB(AddressFamily)
    /// 29: SendHoldTimer_Expires (RFC 9687 §4.2).
    case sendHoldTimerExpires(ConnectionSide)
    /// The peer's window has closed, or has let something through.
    case sendingBlocked(ConnectionSide, Bool)
    /// The peer has not come back in time (RFC 4724 §4.2).
    case restartTimerExpires
    /// The peer has not said everything again in time.
    case staleTimerExpires(AddressFamily)
    /// RFC 5882 §4.3; whether BFD would have survived the end of the peer's control plane.
    case forwardingChanges(isUp: Bool, isIndependent: Bool)
    /// The peer has told more routes than are bearable.
    case prefixLimitExceeded
}

/// The timers of a session (RFC 4271 §10); four of them for each connection.
enum SessionTimer: Int, CaseIterable, Sendable {
    case connectRetry
    case idleHold
    case outgoingHold
    case outgoingKeepalive
    case incomingHold
    case incomingKeepalive
    case outgoingDelayOpen
    case incomingDelayOpen
    case outgoingSendHold
    case incomingSendHold
    case restart
    case staleIPv4
    case staleIPv6

    static func stale(_ family: AddressFamily) -> SessionTimer {
        family == .ipv4Unicast ? .staleIPv4 : .staleIPv6
    }

    /// What its expiry means to the session.
    var event: SessionEvent {
        switch self {
        case .connectRetry: .connectRetryTimerExpires
        case .idleHold: .idleHoldTimerExpires
        case .outgoingHold: .holdTimerExpires(.outgoing)
        case .outgoingKeepalive: .keepaliveTimerExpires(.outgoing)
        case .incomingHold: .holdTimerExpires(.incoming)
        case .incomingKeepalive: .keepaliveTimerExpires(.incoming)
        case .outgoingDelayOpen: .delayOpenTimerExpires(.outgoing)
        case .incomingDelayOpen: .delayOpenTimerExpires(.incoming)
        case .outgoingSendHold: .sendHoldTimerExpires(.outgoing)
        case .incomingSendHold: .sendHoldTimerExpires(.incoming)
        case .restart: .restartTimerExpires
        case .staleIPv4: .staleTimerExpires(.ipv4Unicast)
        case .staleIPv6: .staleTimerExpires(.ipv6Unicast)
        }
    }
}
