import Wire

/// What can happen to a session, with the names and numbers of RFC 4271 §8.1.
enum SessionEvent: Sendable {
    /// 1 and 3: ManualStart, AutomaticStart.
    case start
    /// 2: ManualStop.
    case stop(CeaseReason)
    /// 8: AutomaticStop; the session starts over by itself.
    case restart(CeaseReason)
    /// 9.
    case connectRetryTimerExpires
    /// 10.
    case holdTimerExpires(ConnectionSide)
    /// 11.
    case keepaliveTimerExpires(ConnectionSide)
    /// 13.
    case idleHoldTimerExpires
    /// 16 and 17: TcpConnectionAcked of the own attempt, TcpConnectionConfirmed of the peer's.
    case connectionConfirmed(ConnectionID, ConnectionSide)
    /// 18: TcpConnectionFails, before there was a connection.
    case attemptFails
    /// 18: TcpConnectionFails.
    case connectionFails(ConnectionSide)
    /// 19: BGPOpen.
    case open(OpenMessage, ConnectionSide)
    /// 21, 22 and 28: BGPHeaderErr, BGPOpenMsgErr, UpdateMsgErr.
    case messageError(Notification, ConnectionSide)
    /// 24 and 25: NotifMsgVerErr, NotifMsg.
    case notification(Notification, ConnectionSide)
    /// 26: KeepAliveMsg.
    case keepalive(ConnectionSide)
    /// 27: UpdateMsg.
    case update(ConnectionSide)
    /// RFC 2918.
    case routeRefresh(ConnectionSide)
}

/// The timers of a session (RFC 4271 §10); two of them for each connection.
enum SessionTimer: Int, CaseIterable, Sendable {
    case connectRetry
    case idleHold
    case outgoingHold
    case outgoingKeepalive
    case incomingHold
    case incomingKeepalive

    /// What its expiry means to the session.
    var event: SessionEvent {
        switch self {
        case .connectRetry: .connectRetryTimerExpires
        case .idleHold: .idleHoldTimerExpires
        case .outgoingHold: .holdTimerExpires(.outgoing)
        case .outgoingKeepalive: .keepaliveTimerExpires(.outgoing)
        case .incomingHold: .holdTimerExpires(.incoming)
        case .incomingKeepalive: .keepaliveTimerExpires(.incoming)
        }
    }
}
