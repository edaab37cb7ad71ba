/// How many messages of each type.
public struct MessageCounts: Equatable, Sendable {
    public var open: UInt64 = 0
    public var update: UInt64 = 0
    public var notification: UInt64 = 0
    public var keepalive: UInt64 = 0
    public var routeRefresh: UInt64 = 0

    mutating func count(_ type: MessageType, _ number: Int = 1) {
        switch type {
        case .open: open += UInt64(number)
        case .update: update += UInt64(number)
        case .notification: notification += UInt64(number)
        case .keepalive: keepalive += UInt64(number)
        case .routeRefresh: routeRefresh += UInt64(number)
        }
    }
}

/// What a session has done since the speaker was made.
public struct SessionCounters: Equatable, Sendable {
    public var sent = MessageCounts()
    public var received = MessageCounts()
    /// How often the session came up.
    public var establishments: UInt64 = 0
    /// UPDATEs whose routes were withdrawn for a fault (RFC 7606 §2).
    public var treatedAsWithdraw: UInt64 = 0
    /// Attributes that were ignored for a fault (RFC 7606 §2).
    public var discardedAttributes: UInt64 = 0
    /// How often the session has fallen back to Idle since it was started (RFC 4271 §8.1, ConnectRetryCounter).
    public var connectRetries: UInt64 = 0
    /// How often the peer took nothing for too long (RFC 9687).
    public var stalls: UInt64 = 0
    /// How often the number of routes came near the limit from below.
    public var prefixLimitWarnings: UInt64 = 0
    /// How often it went beyond.
    public var prefixLimitViolations: UInt64 = 0
    /// Routes that did not fit a message of 4096 octets and were not announced.
    public var unsendableRoutes: UInt64 = 0
    public var lastNotificationSent: Notification?
    public var lastNotificationReceived: Notification?
}
