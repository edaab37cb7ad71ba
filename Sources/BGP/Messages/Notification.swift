public import Basics

/// An error that ends a connection, as the peer is told of it (RFC 4271 §4.5).
///
/// Thrown by whatever found the fault, so that code, subcode and data are decided
/// where the RFC's section is implemented and nowhere else.
public struct Notification: Error, Hashable, Sendable {
    public let code: UInt8
    public let subcode: UInt8
    public let data: [UInt8]

    public init(code: UInt8, subcode: UInt8, data: [UInt8] = []) {
        self.code = code
        self.subcode = subcode
        self.data = data
    }

    /// Reads the body of a NOTIFICATION, which the header has shown to be at least two octets.
    public init(body: RawSpan) throws(Notification) {
        guard body.byteCount >= 2 else {
            throw .badMessageLength(UInt16(truncatingIfNeeded: body.byteCount + MessageHeader.size))
        }
        code = body.field(at: 0)
        subcode = body.field(at: 1)
        data = body.extracting(2..<body.byteCount).copied()
    }

    /// Appends the whole message.
    public func append(to arena: inout ByteArena) {
        let start = arena.beginMessage(.notification)
        arena.append(code)
        arena.append(subcode)
        let kept = min(data.count, MessageHeader.maximumLength - 21)
        arena.append(data.span.bytes.extracting(first: kept))
        arena.endMessage(start)
    }
}

extension Notification {
    /// RFC 4271 §6.1: the marker was not all ones.
    public static let connectionNotSynchronized = Notification(code: 1, subcode: 1)

    /// RFC 4271 §6.1: the length field was out of bounds; the data is that field.
    public static func badMessageLength(_ length: UInt16) -> Notification {
        Notification(code: 1, subcode: 2, data: [UInt8(length >> 8), UInt8(length & 0xFF)])
    }

    /// RFC 4271 §6.1: the data is the type.
    public static func badMessageType(_ type: UInt8) -> Notification {
        Notification(code: 1, subcode: 3, data: [type])
    }

    /// RFC 4271 §6.2: an OPEN whose parts do not fit together.
    public static let malformedOpen = Notification(code: 2, subcode: 0)

    /// RFC 4271 §6.2: the data is the version spoken here.
    public static let unsupportedVersion = Notification(code: 2, subcode: 1, data: [0, 4])

    /// RFC 4271 §6.2, RFC 7607 §2.
    public static let badPeerAS = Notification(code: 2, subcode: 2)

    /// RFC 4271 §6.2, RFC 6286 §2.2.
    public static let badIdentifier = Notification(code: 2, subcode: 3)

    /// RFC 4271 §6.2.
    public static let unsupportedOptionalParameter = Notification(code: 2, subcode: 4)

    /// RFC 4271 §6.2: a hold time of one or two seconds.
    public static let unacceptableHoldTime = Notification(code: 2, subcode: 6)

    /// RFC 5492 §5: the data is the capabilities that the peer would have needed.
    public static func unsupportedCapability(_ capabilities: [UInt8]) -> Notification {
        Notification(code: 2, subcode: 7, data: capabilities)
    }

    /// RFC 4271 §6.3: the lengths in an UPDATE disagree, or its attributes cannot be told apart.
    public static let malformedAttributeList = Notification(code: 3, subcode: 1)

    /// RFC 4271 §6.3: the data is the attribute.
    public static func unrecognizedWellKnownAttribute(_ attribute: [UInt8]) -> Notification {
        Notification(code: 3, subcode: 2, data: attribute)
    }

    /// RFC 4271 §6.3: the data is the attribute.
    public static func optionalAttributeError(_ attribute: [UInt8]) -> Notification {
        Notification(code: 3, subcode: 9, data: attribute)
    }

    /// RFC 4271 §6.3: a prefix that is too long or cut off.
    public static let invalidNetworkField = Notification(code: 3, subcode: 10)

    /// RFC 4271 §6.5.
    public static let holdTimerExpired = Notification(code: 4, subcode: 0)

    /// RFC 6608 §3: a message that the state does not expect; the data is its type.
    public static func unexpectedMessage(_ type: MessageType, in state: BGPSessionState) -> Notification {
        let subcode: UInt8 =
            switch state {
            case .openSent: 1
            case .openConfirm: 2
            case .established: 3
            case .idle, .connect, .active: 0
            }
        return Notification(code: 5, subcode: subcode, data: [type.rawValue])
    }

    /// RFC 9234 §4.2: the roles of the two ends do not fit, or the peer named none.
    public static let roleMismatch = Notification(code: 2, subcode: 11)

    /// RFC 7313 §5: the data is the message.
    public static func invalidRefreshLength(_ message: [UInt8]) -> Notification {
        Notification(code: 7, subcode: 1, data: message)
    }

    /// RFC 9687 §4.2.
    public static let sendHoldTimerExpired = Notification(code: 8, subcode: 0)
}
