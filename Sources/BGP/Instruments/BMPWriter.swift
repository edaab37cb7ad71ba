public import Basics
public import Wire

/// Appends messages to a monitoring station to an arena, one by one; ``MonitoringFeed`` knows which are due.
public enum BMPWriter {
    /// The first message on a connection (RFC 7854 §4.3).
    public static func initiation(_ information: [BMPInformation], to arena: inout ByteArena) {
        let start = arena.beginMonitoring(.initiation)
        for part in information { arena.append(part) }
        arena.endMonitoring(start)
    }

    /// The last message on a connection (RFC 7854 §4.5).
    public static func termination(_ reason: BMPTerminationReason, text: String = "", to arena: inout ByteArena) {
        let start = arena.beginMonitoring(.termination)
        arena.append(UInt16(1))
        arena.append(UInt16(2))
        arena.append(reason.rawValue)
        if !text.isEmpty { arena.append(.string(text)) }
        arena.endMonitoring(start)
    }

    /// That a session has come up; both OPENs are given whole (RFC 7854 §4.10).
    public static func peerUp(
        _ peer: BMPPeer, ends: (local: SocketAddress, remotePort: UInt16), sent: RawSpan, received: RawSpan,
        information: [BMPInformation] = [], to arena: inout ByteArena
    ) {
        let start = arena.beginMonitoring(.peerUp)
        arena.append(peer)
        arena.appendPeerAddress(ends.local.address)
        arena.append(ends.local.port)
        arena.append(ends.remotePort)
        arena.append(sent)
        arena.append(received)
        for part in information { arena.append(part) }
        arena.endMonitoring(start)
    }

    /// That a session has ended (RFC 7854 §4.9).
    public static func peerDown(_ peer: BMPPeer, _ reason: BMPPeerDownReason, to arena: inout ByteArena) {
        let start = arena.beginMonitoring(.peerDown)
        arena.append(peer)
        switch reason {
        case .localNotification(let notification):
            arena.append(UInt8(1))
            notification.append(to: &arena)
        case .localEvent(let event):
            arena.append(UInt8(2))
            arena.append(event)
        case .remoteNotification(let notification):
            arena.append(UInt8(3))
            notification.append(to: &arena)
        case .remoteClosed: arena.append(UInt8(4))
        case .notMonitored: arena.append(UInt8(5))
        case .bestRoutesEnd(let information):
            arena.append(UInt8(6))
            for part in information { arena.append(part) }
        }
        arena.endMonitoring(start)
    }

    /// What a peer has told: a whole UPDATE (RFC 7854 §4.6).
    public static func routes(_ peer: BMPPeer, _ update: RawSpan, to arena: inout ByteArena) {
        let start = arena.beginMonitoring(.routeMonitoring)
        arena.append(peer)
        arena.append(update)
        arena.endMonitoring(start)
    }

    /// Numbers about a peer (RFC 7854 §4.8).
    public static func statistics(_ peer: BMPPeer, _ statistics: [BMPStatistic], to arena: inout ByteArena) {
        let start = arena.beginMonitoring(.statistics)
        arena.append(peer)
        arena.append(UInt32(statistics.count))
        for statistic in statistics {
            arena.append(statistic.kind.rawValue)
            arena.append(UInt16(statistic.kind.isGauge ? 8 : 4))
            if statistic.kind.isGauge {
                arena.append(statistic.value)
            } else {
                arena.append(UInt32(truncatingIfNeeded: statistic.value))
            }
        }
        arena.endMonitoring(start)
    }
}

extension ByteArena {
    /// Appends a common header whose length ``endMonitoring(_:)`` fills in.
    fileprivate mutating func beginMonitoring(_ type: BMPType) -> Int {
        let start = count
        append(BMPReader.version)
        append(UInt32(0))
        append(type.rawValue)
        return start
    }

    fileprivate mutating func endMonitoring(_ start: Int) {
        patch(UInt32(count - start), at: start + 1)
    }

    fileprivate mutating func append(_ peer: BMPPeer) {
        var flags: BMPPeerFlags = []
        if peer.kind != .bestRoutes {
            if !peer.address.isIPv4 { flags.insert(.ipv6) }
            if peer.isPostPolicy { flags.insert(.postPolicy) }
            if peer.isTwoOctet { flags.insert(.twoOctet) }
        }
        append(peer.kind.rawValue)
        append(flags.rawValue)
        append(peer.distinguisher)
        appendPeerAddress(peer.address)
        append(peer.autonomousSystem)
        append(peer.identifier.bits)
        append(peer.time.seconds)
        append(peer.time.microseconds)
    }

    fileprivate mutating func appendPeerAddress(_ address: IPAddress) {
        switch address {
        case .v4(let address):
            append(UInt64(0))
            append(UInt64(address.bits))
        case .v6(let address):
            append(address.high)
            append(address.low)
        }
    }

    /// A text too long for its length field is cut.
    fileprivate mutating func append(_ information: BMPInformation) {
        let text = ContiguousArray(information.text.utf8.prefix(0xFFFF))
        append(information.type)
        append(UInt16(text.count))
        append(text.span.bytes)
    }
}
